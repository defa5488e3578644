"""How frames reach one client, whichever server holds the socket."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from apps.gateway.frames import Frame

Send = Callable[[dict[str, Any]], Awaitable[None]]

CLOSE_SECONDS = 5.0
"""How long a client that does not read is waited for when its connection is closed."""
QUEUED_BYTES = 64 * 1024
"""What may wait in an `AsgiOutlet` before its readers stop."""


class Outlet(Protocol):
    """Writes never wait; `is_full` says when to stop, and a full outlet wakes who waits when there is room again."""

    compress: bool

    @property
    def has_backpressure(self) -> bool:
        """Whether `is_full` tells what the client has not taken yet."""

    @property
    def is_full(self) -> bool: ...

    def sign_of_life(self, now: float) -> float:
        """When the client was last known to be there, on the monotonic clock; 0 where the server watches for that.

        It said something then, or has taken bytes since this was asked before. Ask at each turn of the wheel.
        """

    def ping(self) -> None: ...

    def write(self, frame: Frame) -> None: ...

    def wake_when_writable(self, wake: Callable[[], None]) -> None: ...

    async def drain(self) -> None: ...

    async def close(self, code: int, reason: str) -> None: ...


class _Waking:
    """Remembers who waits for room."""

    __slots__ = ("_sleepers", "compress", "is_full")

    def __init__(self) -> None:
        self.compress = False
        self.is_full = False
        self._sleepers: list[Callable[[], None]] | None = None

    def wake_when_writable(self, wake: Callable[[], None]) -> None:
        if self._sleepers is None:
            self._sleepers = []
        self._sleepers.append(wake)

    def _wake(self) -> None:
        sleepers, self._sleepers = self._sleepers, None
        for wake in sleepers or ():
            wake()


class RawSocket(Protocol):
    """What a `RawOutlet` needs of a server's protocol object, which in turn calls `pause`, `resume` and `detach`."""

    transport: asyncio.Transport
    writable: asyncio.Event
    outlet: "RawOutlet | None"

    def sign_of_life(self, now: float) -> float: ...

    def ping(self) -> None: ...


class RawOutlet(_Waking):
    """Straight to the transport of our uvicorn protocol: one shared bytes object per frame, no task, no copy.

    `write` runs for every reader of every flush, so it does nothing but write.
    """

    __slots__ = ("_protocol", "_send", "_write")

    has_backpressure = True

    def __init__(self, protocol: RawSocket, send: Send) -> None:
        super().__init__()
        self._protocol = protocol
        self._send = send
        self._write: Callable[[bytes], None] = protocol.transport.write
        protocol.outlet = self
        if protocol.transport.is_closing():
            self.detach()  # It went before there was an outlet to be told.

    def sign_of_life(self, now: float) -> float:
        return self._protocol.sign_of_life(now)

    def ping(self) -> None:
        self._protocol.ping()

    def write(self, frame: Frame) -> None:
        self._write(frame.raw_deflated if self.compress else frame.raw_text)

    def pause(self) -> None:
        """The transport's buffer is full."""
        self.is_full = True

    def resume(self) -> None:
        self.is_full = False
        self._wake()

    def detach(self) -> None:
        """The close frame is out, or the client has gone: what is written from now on is for nobody."""
        self._write = _to_nobody
        self.resume()

    async def drain(self) -> None:
        """Wait until the client has taken enough for answers to be sent again."""
        await self._protocol.writable.wait()

    async def close(self, code: int, reason: str) -> None:
        self.detach()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except TimeoutError:
            # It reads nothing, so it will not read the close frame either.
            self._protocol.transport.abort()


def _to_nobody(frame: bytes) -> None:
    """Where frames go that come too late."""


class AsgiOutlet(_Waking):
    """Through any ASGI server's `send`, by one task per busy connection.

    `has_backpressure` is false for servers whose `send` returns before the client has taken the bytes (daphne).
    """

    __slots__ = ("_closing", "_pump", "_queue", "_queued", "_send", "has_backpressure")

    def __init__(self, send: Send, *, has_backpressure: bool) -> None:
        super().__init__()
        self.has_backpressure = has_backpressure
        self._send = send
        self._queue: deque[Frame] = deque()
        self._queued = 0
        self._pump: asyncio.Task[None] | None = None
        self._closing = False

    def sign_of_life(self, now: float) -> float:
        return 0.0

    def ping(self) -> None:
        """ASGI has no ping; servers send their own."""

    def write(self, frame: Frame) -> None:
        if self._closing:
            return
        self._queue.append(frame)
        self._queued += len(frame)
        self.is_full = self._queued > QUEUED_BYTES
        if self._pump is None:
            self._pump = asyncio.create_task(self._send_queued(), name="outlet")

    async def drain(self) -> None:
        while self.is_full:
            writable = asyncio.Event()
            self.wake_when_writable(writable.set)
            await writable.wait()

    async def close(self, code: int, reason: str) -> None:
        """Send what waits, then the close frame. A client that does not read gets neither, and nothing after them."""
        self._closing = True
        if self._pump is not None:
            _, late = await asyncio.wait([self._pump], timeout=CLOSE_SECONDS)
            for pump in late:
                pump.cancel()
        self._forget_queued()
        async with asyncio.timeout(CLOSE_SECONDS):
            await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def _send_queued(self) -> None:
        try:
            while self._queue:
                frame = self._queue.popleft()
                packed = frame.deflated if self.compress else None
                if packed is None:
                    await self._send({"type": "websocket.send", "text": frame.text.decode()})
                else:
                    await self._send({"type": "websocket.send", "bytes": packed})
                self._queued -= len(frame)
                self._may_be_writable()
        except Exception:
            # The client has gone; the consumer learns it from `receive` and cleans up.
            self._forget_queued()
        finally:
            self._pump = None

    def _forget_queued(self) -> None:
        self._queue.clear()
        self._queued = 0
        self._may_be_writable()

    def _may_be_writable(self) -> None:
        self.is_full = self._queued > QUEUED_BYTES
        if not self.is_full:
            self._wake()
