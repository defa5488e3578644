"""One connection: its requests and answers, and whether the other side is still there."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from signalbox_agent.frames import Disconnected, Frame, Refused, decode, encode, new_id

MAX_BYTES = 32 * 1024 * 1024
CREDIT_BYTES = 64 * 1024
LOCAL = ("ws://127.", "ws://localhost", "ws://[::1]")


class _Connect(connect):
    """Goes where it was told to, and nowhere else: a redirect leads to a page, or away without the key."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


async def open_link(url: str, key: str, *, timeout: float = 10.0) -> "Link":
    """Connect and show the key. Raises OSError or a websockets exception."""
    socket = await _Connect(
        url,
        additional_headers={"Authorization": f"Bearer {key}"},
        user_agent_header="signalbox-agent",
        compression=None,
        ping_interval=None,
        open_timeout=timeout,
        close_timeout=2,
        max_size=MAX_BYTES,
        proxy=None if url.startswith(LOCAL) else True,
    )
    return Link(socket)


class Link:
    """A live socket. It ends with ConnectionClosed, or Disconnected when the server fell silent."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._answers: dict[str, asyncio.Future[Frame]] = {}
        self.heard_at = time.monotonic()
        self.last_refusal: Refused | None = None
        self._uncredited = 0

    async def send(self, text: str) -> None:
        await self._socket.send(text)

    async def request(self, type: str, data: Frame, *, topic: str | None = None) -> Frame:
        """Send a frame that concerns this connection only; the frame that answers. Raises Refused, Disconnected."""
        frame: Frame = {"type": type, "id": new_id(), "data": data}
        if topic is not None:
            frame["topic"] = topic
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[frame["id"]] = answer
        try:
            await self.send(encode(frame))
            return await answer
        except ConnectionClosed as closed:
            raise Disconnected(str(closed)) from closed
        finally:
            self._answers.pop(frame["id"], None)

    async def read(self, take: Callable[[Frame], None], cursor: Callable[[], dict[str, int]]) -> None:
        """Hand everything that arrives to `take`, and give the server credit for it."""
        async for raw in self._socket:
            self.heard_at = time.monotonic()
            for frame in decode(raw):
                if not self._is_answer(frame):
                    take(frame)
            self._uncredited += len(raw)
            if self._uncredited >= CREDIT_BYTES:
                self._uncredited = 0
                await self.send(encode({"type": "received", "data": cursor()}))
        raise Disconnected("The server closed the connection.")

    async def watch(self, *, quiet: float, silent: float) -> None:
        """Ping after `quiet` seconds without a word; after `silent` seconds the server is gone."""
        while True:
            silence = time.monotonic() - self.heard_at
            if silence >= silent:
                self.abort()
                raise Disconnected(f"Nothing was heard from the server for {silence:.0f} s.")
            if silence >= quiet:
                with suppress(TimeoutError):
                    async with asyncio.timeout(silent - silence):  # A stuck line takes no ping either.
                        await self.send(encode({"type": "ping", "data": {}}))
            await asyncio.sleep(min(quiet / 2, max(0.01, silent - silence)))

    async def close(self) -> None:
        """Say goodbye properly, within two seconds."""
        await self._socket.close()

    def abort(self) -> None:
        """Drop the connection without waiting for the other side."""
        self._socket.transport.abort()

    def end(self) -> None:
        """Nobody will answer any more."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Disconnected("The connection ended before the answer came."))
                answer.exception()

    def _is_answer(self, frame: Frame) -> bool:
        """Settle a request of this link, if the frame is its answer."""
        if frame.get("type") == "error":
            self.last_refusal = Refused.of(frame.get("data"))
        answer = self._answers.get(str(frame.get("id")))
        if answer is None:
            return False
        if not answer.done():
            if frame.get("type") == "error":
                answer.set_exception(Refused.of(frame.get("data")))
            else:
                answer.set_result(frame)
        return True
