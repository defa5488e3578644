"""An async view as an ASGI application of its own, without middleware.

One synchronous middleware would hold a thread for each reader that waits in a long poll.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from io import BytesIO
from typing import Any

from django.core.exceptions import DisallowedHost, SuspiciousOperation, TooManyFieldsSent
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse

from apps.accounts.refusals import Invalid, Unavailable
from apps.gateway.polling import refused
from apps.gateway.protocol import COULD_NOT

logger = logging.getLogger(__name__)

View = Callable[[HttpRequest], Awaitable[HttpResponse]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


def application(view: View) -> Application:
    """Serve a view that reads no body."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        response = await _unless_gone(_answer(view, ASGIRequest(scope, BytesIO())), receive)
        if response is None:
            return
        headers = [(name.encode("latin-1"), str(value).encode("latin-1")) for name, value in response.items()]
        headers += [(b"x-content-type-options", b"nosniff")]
        if response.status_code != 304:
            headers.append((b"content-length", str(len(response.content)).encode()))
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else response.content
        await send({"type": "http.response.body", "body": body})

    return serve


async def _answer(view: View, request: HttpRequest) -> HttpResponse:
    try:
        request.get_host()
        return await view(request)
    except DisallowedHost:
        return refused(Invalid("This server does not go by that name."))
    except TooManyFieldsSent:
        return refused(Invalid("There are too many parameters in this address."))
    except SuspiciousOperation:
        return refused(Invalid("This request cannot be read."))
    except Exception:
        logger.exception("%s could not be answered", request.path)
        return refused(Unavailable(COULD_NOT))


async def _unless_gone(answer: Coroutine[Any, Any, HttpResponse], receive: Any) -> HttpResponse | None:
    """The answer; None once the client has hung up: nobody waits, looks or holds a place for who is not there."""
    answering, leaving = asyncio.create_task(answer), asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        return answering.result() if answering.done() else None
    finally:
        answering.cancel()
        leaving.cancel()


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
