"""What Django asks where no view has answered: people get a page, programs the shape that every refusal has."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from apps.accounts.refusals import Invalid, NotFound, Unavailable
from apps.gateway.polling import refused
from apps.gateway.protocol import COULD_NOT


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_program(request):
        return refused(Invalid("This request cannot be read."))
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_program(request):
        return refused(NotFound("There is nothing at this address."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Asks no database, which may be what is broken."""
    if _is_program(request):
        return refused(Unavailable(COULD_NOT))
    return defaults.server_error(request)


def _is_program(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
