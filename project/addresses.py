"""Addresses that no database could look up, or of another server."""

from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from apps.accounts.refusals import Invalid
from apps.gateway.polling import refused


class WithoutNul:
    """Middleware that refuses a NUL character in a path or a query: PostgreSQL takes none, whatever is asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META["QUERY_STRING"]:
            return refused(Invalid("An address has no NUL character."))
        return self.get_response(request)


class OfThisHost:
    """Middleware that tells programs in words when ALLOWED_HOSTS does not have the name by which they ask."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/"):
            try:
                request.get_host()
            except DisallowedHost:
                return refused(Invalid("This server is not known by the name in `Host`."))
        return self.get_response(request)
