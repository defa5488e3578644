"""What the browser's client is told: data attributes of the page's body, which static/js/here.js reads."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.html import format_html_join
from django.utils.safestring import SafeString


def client_attributes(request: HttpRequest) -> dict[str, SafeString]:
    """A context processor: `client_attributes`, for the pages of people who are logged in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    given = {
        "session": _mark(request),
        "socket-url": settings.WEBSOCKET_URL,
        "reconnect-ms": round(settings.CLIENT["reconnect_seconds"] * 1000),
        "attempts": settings.CLIENT["attempts"],
        "queue": settings.CLIENT["queue"],
        "agent-monitoring": "on" if settings.ENABLE_AGENT_MONITORING else "off",
        "report-errors": "on" if settings.REPORT_CLIENT_ERRORS else "off",
    }
    return {"client_attributes": format_html_join(" ", 'data-{}="{}"', given.items())}


def _mark(request: HttpRequest) -> str:
    """Names this login without telling its key: tabs of one login share their connection."""
    key = getattr(request.session, "session_key", None) or ""
    return salted_hmac("signalbox.tabs", key, algorithm="sha256").hexdigest()[:16]
