"""Lean WebSocket clients: thousands in one process, every delivery checked and timed.

A `Reader` follows one topic; its subclasses speak the dialect of one server. What all readers of a
topic were given is gathered in their `Audience`.
"""

import asyncio
import math
from abc import ABC, abstractmethod
from array import array
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import randint
from time import monotonic_ns
from typing import Any, TypeVar, cast

from benchmarks.frames import CLOSE, PING, PONG, FrameReader, client_frame
from benchmarks.payload import Delivery, Memo, OutOfOrder, delivery_of, dumps, loads

HOST = "127.0.0.1"
CREDIT_BYTES = (128 * 1024, 256 * 1024)  # the protocol asks for a `received` at a random size between them
_HANDSHAKES_AT_ONCE = 64
_HANDSHAKE_SECONDS = 30

C = TypeVar("C", bound="Connection")


class Connection(asyncio.Protocol):
    """One WebSocket: the upgrade, frames in and out. `ready` resolves when its subclass may be used."""

    path = "/"

    def __init__(self, headers: str = "") -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.close_code: int | None = None
        self.frames = FrameReader()
        self._headers = headers
        self._upgrade = b""
        self._upgraded = False
        self.transport: asyncio.Transport

    def opened(self) -> None:
        """The upgrade is done."""

    def heard(self, message: bytes) -> None:
        """A text message has come."""

    def say(self, message: bytes) -> None:
        self.transport.write(client_frame(message))

    async def leave(self) -> None:
        """Close without ceremony and wait until it is done."""
        if not self.closed.done():
            self.transport.abort()
            await self.closed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2lnbmFsYm94LWJlbmNoIQ==\r\n{self._headers}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if not self._upgraded:
            self._upgrade += data
            head, found, data = self._upgrade.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                return self._fail(ConnectionError(head.decode(errors="replace").partition("\r\n")[0]))
            self._upgraded = True
            self.opened()
        if data:
            self.received(data)
        if self.frames.controls:
            self._answer_controls()

    def received(self, data: bytes) -> None:
        for message in self.frames.feed(data):
            self.heard(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError(f"closed with {self.close_code}"))
        if not self.closed.done():
            self.closed.set_result(None)

    def _answer_controls(self) -> None:
        for opcode, payload in self.frames.controls:
            if opcode == PING:
                self.transport.write(client_frame(payload, PONG))
            elif opcode == CLOSE:
                self.close_code = int.from_bytes(payload[:2], "big") if payload else 1005
                self.transport.close()
        self.frames.controls.clear()

    def _fail(self, why: Exception) -> None:
        if not self.ready.done():
            self.ready.set_exception(why)


class Audience:
    """All readers of one topic: what they were given, how late, and when the last of them had everything."""

    def __init__(self) -> None:
        self.memo = Memo()
        self.readers: list[Reader] = []
        self.latencies = array("q")  # ns, one per delivered event
        self.failure: Exception | None = None
        self.finished_at = 0  # monotonic ns
        self.goal: float = math.inf
        self._missing = 0
        self._all_there = asyncio.Event()

    def aim(self, seq: int, readers: int | None = None) -> None:
        """`everyone_there` waits until all readers (or as many as will come) have everything up to `seq`."""
        self.goal = seq
        arrived = sum(reader.seq >= seq for reader in self.readers)
        self._missing = (len(self.readers) if readers is None else readers) - arrived
        self._all_there.clear()
        if not self._missing:
            self._all_there.set()

    def forget_latencies(self) -> None:
        self.latencies = array("q")

    async def everyone_there(self, timeout: float) -> None:
        """Wait for the last reader; raises OutOfOrder, or TimeoutError that says how many are behind."""
        try:
            async with asyncio.timeout(timeout):
                await self._all_there.wait()
        except TimeoutError:
            behind = self.behind()
            raise TimeoutError(f"{len(behind)} of {len(self.readers)} readers are behind seq {self.goal}") from None
        if self.failure:
            raise self.failure

    def behind(self) -> list["Reader"]:
        return [reader for reader in self.readers if reader.seq < self.goal]

    def arrived(self, now: int) -> None:
        self._missing -= 1
        if self._missing == 0:
            self.finished_at = now
            self._all_there.set()

    def fail(self, why: Exception) -> None:
        self.failure = self.failure or why
        self._all_there.set()

    async def leave(self) -> None:
        readers, self.readers = self.readers, []
        await asyncio.gather(*(reader.leave() for reader in readers))


class Reader(Connection, ABC):
    """Follows one topic and checks that each event comes once and in order."""

    credit_every: float = math.inf

    def __init__(self, audience: Audience, topic: str, headers: str = "", after: int | None = None) -> None:
        super().__init__(headers)
        self.audience = audience
        self.topic = topic
        self.seq = after or 0
        self._after = after
        self._uncredited = 0
        self._known = audience.memo.known
        audience.readers.append(self)

    @abstractmethod
    def events_of(self, message: bytes) -> tuple[list[dict[str, Any]], bool]:
        """The events in a message, and whether they are all that it says."""

    def give_credit(self) -> None:
        """Tell the server what was taken, where its protocol has that."""

    def received(self, data: bytes) -> None:
        """Every delivery of every server comes through here, so it does little."""
        now = monotonic_ns()
        audience = self.audience
        self._uncredited += len(data)
        for message in self.frames.feed(data):
            delivery = self._known.get(message)
            if delivery is None:
                delivery = self._learn(message)
                if delivery is None:
                    continue
            if delivery.first != self.seq + 1:
                audience.fail(OutOfOrder(f"seq {delivery.first} after {self.seq}"))
            self.seq = delivery.last
            for sent in delivery.sent:
                audience.latencies.append(now - sent)
            if delivery.last >= audience.goal > delivery.first - 1:
                audience.arrived(now)
        if self._uncredited >= self.credit_every:
            self.give_credit()
            self._uncredited = 0

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self.audience.readers and self.ready.done():
            self.audience.fail(exc or ConnectionError(f"a reader was closed with {self.close_code}"))
        super().connection_lost(exc)

    def _learn(self, message: bytes) -> Delivery | None:
        events, whole = self.events_of(message)
        if not events:
            return None
        delivery = delivery_of(events)
        if whole:
            self.audience.memo.keep(message, delivery)
        return delivery

    def _is_ready(self) -> None:
        if not self.ready.done():
            self.ready.set_result(None)


class SignalboxReader(Reader):
    """An authenticated socket that subscribes to one topic. `after=None`: only what is new."""

    path = "/ws/"

    def __init__(self, audience: Audience, topic: str, headers: str = "", after: int | None = None) -> None:
        super().__init__(audience, topic, headers, after)
        self.credit_every = randint(*CREDIT_BYTES)

    def events_of(self, message: bytes) -> tuple[list[dict[str, Any]], bool]:
        frame = loads(message)
        frames = frame["messages"] if frame["type"] == "batch" else [frame]
        events = [one for one in frames if "seq" in one and one.get("topic") == self.topic]
        for one in frames:
            if "seq" not in one:
                self._told(one)
        return events, len(events) == len(frames)

    def give_credit(self) -> None:
        self.say(dumps({"type": "received", "data": {self.topic: self.seq}}))
        self.credit_every = randint(*CREDIT_BYTES)

    def _told(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "connection_established":
                cursor = {} if self._after is None else {"after": self._after}
                self.say(dumps({"type": "subscribe", "id": "1", "topic": self.topic, "data": cursor}))
            case "subscribed":
                if self._after is None:
                    self.seq = frame["data"]["head"]
                self._is_ready()
            case "error" | "reset":
                error = ConnectionError(str(frame))
                self._fail(error)
                self.audience.fail(error)


class SocketIOReader(Reader):
    """Joins a room, by an acknowledged `join`."""

    path = "/socket.io/?EIO=4&transport=websocket"

    def events_of(self, message: bytes) -> tuple[list[dict[str, Any]], bool]:
        if message.startswith(b'42["event",'):
            return [loads(message[2:])[1]], True
        if message.startswith(b"0{"):
            self.say(b"40")
        elif message.startswith(b"40"):
            self.say(b"420" + dumps(["join", self.topic]))
        elif message.startswith(b"430"):
            self._is_ready()
        elif message == b"2":
            self.say(b"3")
        return [], False


class TextbookReader(Reader):
    """In the group as soon as it is accepted."""

    def __init__(self, audience: Audience, topic: str, headers: str = "", after: int | None = None) -> None:
        super().__init__(audience, topic, headers, after)
        self.path = textbook_path(topic)

    def opened(self) -> None:
        self._is_ready()

    def events_of(self, message: bytes) -> tuple[list[dict[str, Any]], bool]:
        return [loads(message)], True


def textbook_path(topic: str) -> str:
    return f"/ws/room/{topic.replace('.', '_')}/"


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}\r\n"


async def connect(port: int, make: Callable[[], C]) -> C:
    """One connection, ready."""
    _, made = await asyncio.get_running_loop().create_connection(make, HOST, port)
    async with asyncio.timeout(_HANDSHAKE_SECONDS):
        await made.ready
    return made


async def connect_all(port: int, makers: Iterable[Callable[[], C]], at_once: int = _HANDSHAKES_AT_ONCE) -> Sequence[C]:
    """Many connections, ready, a bounded number of handshakes at a time."""
    slots = asyncio.Semaphore(at_once)

    async def one(make: Callable[[], C]) -> C:
        async with slots:
            return await connect(port, make)

    return await _all(one(make) for make in makers)


async def _all(waits: Iterable[Awaitable[C]]) -> Sequence[C]:
    return await asyncio.gather(*waits)
