"""An async view as an ASGI application of its own, without middleware.

One synchronous middleware would hold a thread for each reader that waits in a long poll.
"""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse

View = Callable[[HttpRequest], Awaitable[HttpResponse]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


def application(view: View) -> Application:
    """Serve a view that reads no body."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        request = ASGIRequest(scope, BytesIO())
        try:
            request.get_host()
            response = await view(request)
        except SuspiciousOperation:
            response = HttpResponse(status=400)
        headers = [(name.encode("latin-1"), str(value).encode("latin-1")) for name, value in response.items()]
        headers += [(b"x-content-type-options", b"nosniff")]
        if response.status_code != 304:
            headers.append((b"content-length", str(len(response.content)).encode()))
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        body = b"" if request.method == "HEAD" else response.content
        await send({"type": "http.response.body", "body": body})

    return serve
