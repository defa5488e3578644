"""What the browser's client is told: data attributes of the page's body, which static/js/here.js reads."""

import json

from django.conf import settings
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from apps.accounts.marks import mark_of
from apps.pages.words import WORDS


def client_attributes(request: HttpRequest) -> dict[str, SafeString]:
    """A context processor: `client_attributes`, for the pages of people who are logged in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    given = {
        "session": mark_of(request),
        "socket-url": settings.WEBSOCKET_URL,
        "reconnect-ms": round(settings.CLIENT["reconnect_seconds"] * 1000),
        "attempts": settings.CLIENT["attempts"],
        "queue": settings.CLIENT["queue"],
        "agent-monitoring": "on" if settings.ENABLE_AGENT_MONITORING else "off",
        "report-errors": "on" if settings.REPORT_CLIENT_ERRORS else "off",
        "words": json.dumps(WORDS),
    }
    return {"client_attributes": format_html_join(" ", 'data-{}="{}"', given.items())}
