"""What pages of other origins may ask over HTTP: those in ALLOWED_ORIGINS, with a token, at the client's addresses.

Around the whole application, since the long poll passes no middleware. No cookie is let through: credentials come in
the `Authorization` header only.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

Message = dict[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]

OPEN = re.compile(r"^/(static/(js|css|vendor)/|health$|api/v1/(events/|frames/|ws/ticket|auth/token))")
ASKED_BEFORE = [
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"authorization, content-type, if-none-match"),
    (b"access-control-max-age", b"600"),
]
SHOWN = [(b"access-control-expose-headers", b"etag, retry-after")]
VARY = (b"vary", b"origin")


def with_cors(application: Application) -> Application:
    """The application, answering pages of ALLOWED_ORIGINS in words that browsers understand."""

    async def answer(scope: Message, receive: Any, send: Any) -> None:
        if not settings.ALLOWED_ORIGINS or scope["type"] != "http" or not OPEN.match(scope["path"]):
            return await application(scope, receive, send)
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        allowed = origin in settings.ALLOWED_ORIGINS
        origins = [(b"access-control-allow-origin", origin.encode("latin-1")), *SHOWN] if allowed else []
        if allowed and scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            start = {"type": "http.response.start", "status": 204, "headers": [*origins, *ASKED_BEFORE, VARY]}
            await send(start)
            return await send({"type": "http.response.body", "body": b""})

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *origins, VARY]}
            await send(message)

        return await application(scope, receive, send_with_origin)

    return answer
