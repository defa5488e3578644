"""How the REST doors know who asks, and how a "no" looks: {"error": {"code", "message", …}}."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest
from rest_framework import exceptions, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_from_bearer
from apps.accounts.models import User
from apps.accounts.refusals import Invalid, Refusal, TooLarge, Unauthenticated, Unavailable
from apps.accounts.writes import write_and_wait

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

CODES = {
    status.HTTP_400_BAD_REQUEST: "invalid",
    status.HTTP_401_UNAUTHORIZED: "unauthenticated",
    status.HTTP_403_FORBIDDEN: "forbidden",
    status.HTTP_404_NOT_FOUND: "not_found",
    status.HTTP_405_METHOD_NOT_ALLOWED: "method_not_allowed",
    status.HTTP_406_NOT_ACCEPTABLE: "not_acceptable",
    status.HTTP_409_CONFLICT: "conflict",
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE: "too_large",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    status.HTTP_429_TOO_MANY_REQUESTS: "too_fast",
}
RECORDED = (status.HTTP_403_FORBIDDEN, status.HTTP_404_NOT_FOUND)


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token or API key>`: `request.auth` is the Actor, `request.user` its User.

    Behind an API key there is no person: `request.user` is anonymous then, so ask `actor_of(request)`.
    """

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Actor] | None:
        token = bearer_of(request)
        if token is None:
            return None
        try:
            actor = actor_from_bearer(token)
        except Unauthenticated as refusal:
            raise exceptions.AuthenticationFailed(refusal.message) from refusal
        return actor.user or AnonymousUser(), actor

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class IsKnown(BasePermission):
    """Lets in whoever has an Actor: a person, or an agent with its key."""

    message = Unauthenticated.default_message

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Actor) or bool(request.user and request.user.is_authenticated)


def actor_of(request: Request | HttpRequest) -> Actor:
    """Who sent this request; Unauthenticated if nobody is known by it. A bearer token wins over a cookie."""
    if isinstance(request, Request):
        if isinstance(request.auth, Actor):
            return request.auth
    elif (token := bearer_of(request)) is not None:
        return actor_from_bearer(token)
    return person_of(request)


def person_of(request: Request | HttpRequest) -> Actor:
    """Who is logged in here, whatever else the request brings: pages are written for that person."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        raise Unauthenticated()
    session = getattr(request, "session", None)
    return Actor(user=user, session_key=(session.session_key or "") if session is not None else "")


def bearer_of(request: Request | HttpRequest) -> str | None:
    """The credentials of the Authorization header; None if it is missing or of another scheme."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def refusal_as_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler: every "no" in one shape, DRF's own field errors under `error.fields`."""
    error = _refusal_for(error, context) or error
    if isinstance(error, Refusal):
        _record(error, context)
        response = Response({"error": error.as_data()}, status=error.status)
        if error.retry_after is not None:
            response["Retry-After"] = str(max(1, round(error.retry_after)))
        if error.status == status.HTTP_401_UNAUTHORIZED:
            response["WWW-Authenticate"] = 'Bearer realm="api"'
        return response
    if isinstance(error, DjangoValidationError):
        error = exceptions.ValidationError(getattr(error, "message_dict", None) or error.messages)

    # Its module reads the settings that name this one, so it can only be imported once both are there.
    from rest_framework.views import exception_handler

    answer = exception_handler(error, context)
    if answer is not None:
        answer.data = {"error": _error_of(answer, error)}
    return answer


def _refusal_for(error: Exception, context: dict[str, Any]) -> Refusal | None:
    """What Django and the database do not take, in our words."""
    match error:
        case DataError():
            logger.warning("The database did not take a value that was let through", exc_info=error)
            return Invalid("A value is too long or too large.")
        case OperationalError() | InterfaceError():
            logger.warning("%s could not be answered: %s", context["view"].__class__.__name__, error)
            return Unavailable("The database is busy; ask again.", retry_after=1.0)
        case RequestDataTooBig():
            return TooLarge(f"A body may have {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes, not more.")
        case TooManyFieldsSent():
            return Invalid(f"A form or an address may have {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} fields, not more.")
        case SuspiciousOperation():
            return Invalid("Something in this request is not allowed.")
    return None


def _record(refusal: Refusal, context: dict[str, Any]) -> None:
    """Put it on record when somebody known reached for what is not theirs; a wrong value is no matter of record."""
    if refusal.recorded or refusal.status not in RECORDED:
        return
    request: Request | None = context.get("request")
    if request is None:
        return
    with contextlib.suppress(Exception):  # whoever cannot be named here was refused as unknown before
        actor, action = actor_of(request), f"refused {request.method}"
        write_and_wait(audit.record, actor, action, request.path[:200], code=refusal.code)


def _error_of(response: Response, error: Exception) -> dict[str, Any]:
    found: dict[str, Any] = {"code": CODES.get(response.status_code, "refused"), "message": _sentence(response.data)}
    if isinstance(error, exceptions.ValidationError) and isinstance(response.data, dict):
        found["fields"] = response.data
    if (wait := getattr(error, "wait", None)) is not None:  # of Throttled
        found["retry_after"] = wait
    return found


def _sentence(data: Any, field: str = "") -> str:
    """The first message in what REST framework says, with the name of its field."""
    if isinstance(data, dict):
        if "detail" in data:
            return _sentence(data["detail"], field)
        for name, value in data.items():
            return _sentence(value, field if name == "non_field_errors" else f"{field}.{name}".strip("."))
    if isinstance(data, list) and data:
        return _sentence(next((item for item in data if item), data[0]), field)
    if not isinstance(data, str):
        return "A value is missing or wrong."
    return f"{field}: {data}" if field else data
