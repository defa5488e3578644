"""A name for each login that tells nothing of its key, so that a browser knows whose the pages are that it has kept."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

COOKIE = "login"
"""Scripts read it: static/js/kept.js shows no page that was written for another login."""


def mark_of(request: HttpRequest) -> str:
    """The mark of this request's login."""
    key = getattr(request.session, "session_key", None) or ""
    return salted_hmac("signalbox.tabs", key, algorithm="sha256").hexdigest()[:16]


def leave_mark(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser know which login is its own now."""
    mark = mark_of(request)
    if request.COOKIES.get(COOKIE) != mark:
        response.set_cookie(COOKIE, mark, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax")


def forget_login(response: HttpResponse) -> None:
    """What the browser keeps of this login is to be shown no more: by any page, and where it is asked to, not kept."""
    response.delete_cookie(COOKIE, samesite="Lax")
    response["Clear-Site-Data"] = '"cache"'
