"""Clients that speak the wire as docs/protocol.md describes it: a socket with `websockets`, and REST with httpx."""

import asyncio
import contextlib
import json
import zlib
from collections import defaultdict
from itertools import count
from typing import Any, Protocol

import httpx
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed

from apps.gateway import control

Frame = dict[str, Any]
_CREDIT_EVERY = 256 * 1024


class Speaker(Protocol):
    """Anybody with something to prove who they are: a person's access token or an agent's key."""

    @property
    def token(self) -> str: ...


class Socket:
    """One open socket. Events wait in `events`, answers by their id, everything else by its type."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.raw_frames = 0
        self._ids = count(1)
        self._queues: dict[str, asyncio.Queue[Frame]] = defaultdict(asyncio.Queue)
        self._last_seq: dict[str, int] = {}
        self._unacknowledged = 0
        self._reading = asyncio.create_task(self._read())

    # What came ------------------------------------------------------------------------------------

    async def events(self, n: int, timeout: float = 10) -> list[Frame]:
        """The next `n` events of any topic, whispers not counted."""
        taken: list[Frame] = []
        try:
            async with asyncio.timeout(timeout):
                while len(taken) < n:
                    taken.append(await self._take("event"))
        except TimeoutError:
            raise AssertionError(f"only {len(taken)} of {n} events within {timeout} s: {taken[-3:]}") from None
        return taken

    async def no_events(self, seconds: float = 0.5) -> None:
        """Fail if an event comes within `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                raise AssertionError(f"unexpected: {await self._take('event')}")

    async def frame(self, kind: str, timeout: float = 10) -> Frame:
        """The next frame of this type that is neither an event nor an answer, such as `reset`, or a whisper's."""
        async with asyncio.timeout(timeout):
            return await self._take(f"type:{kind}")

    async def answer(self, id: str, timeout: float = 10) -> Frame:
        """The ack, error or `subscribed` that answers the frame with this id."""
        async with asyncio.timeout(timeout):
            return await self._take(f"answer:{id}")

    async def closed(self, timeout: float = 10) -> int:
        """Wait until the server closes the socket; gives the close code."""
        async with asyncio.timeout(timeout):
            await self.connection.wait_closed()
        assert self.connection.close_code is not None
        return self.connection.close_code

    # What goes ------------------------------------------------------------------------------------

    async def send_frame(self, type: str, topic: str | None = None, *, id: str | None = None, **data: Any) -> str:
        """Send a frame and give its id; the answer can be fetched with `answer`."""
        id = id or str(next(self._ids))
        frame: Frame = {"type": type, "id": id, "data": data}
        if topic is not None:
            frame["topic"] = str(topic)
        await self.send(frame)
        return id

    async def ask(self, type: str, topic: str | None = None, *, id: str | None = None, **data: Any) -> Frame:
        """Send a frame and give its answer."""
        return await self.answer(await self.send_frame(type, topic, id=id, **data))

    async def follow(self, topic: str, after: int | None = None, epoch: str | None = None) -> Frame:
        """Subscribe; gives the `subscribed` frame, or fails with the error."""
        data: dict[str, Any] = {
            name: value for name, value in [("after", after), ("epoch", epoch)] if value is not None
        }
        answer = await self.ask("subscribe", topic, **data)
        assert answer["type"] == "subscribed", answer
        return answer

    async def send(self, frame: Any) -> None:
        """Send anything: a frame as a dict, else text or bytes as they are."""
        await self.connection.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    # How it lives ---------------------------------------------------------------------------------

    async def pause(self) -> None:
        """Stop reading, as a client does whose link is too slow."""
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading

    def resume(self) -> None:
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        await self.pause()
        await self.connection.close()

    async def _take(self, queue: str) -> Frame:
        """The next frame of a queue; fails at once when the socket has ended and nothing is left."""
        waiting = self._queues[queue]
        if waiting.empty() and not self._reading.done():
            taking = asyncio.create_task(waiting.get())
            try:
                await asyncio.wait({taking, self._reading}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not taking.done():
                    taking.cancel()
            if taking.done() and not taking.cancelled():
                return taking.result()
        if waiting.empty():
            if self._reading.done() and not self._reading.cancelled() and (problem := self._reading.exception()):
                raise problem
            reason = f"{self.connection.close_code} {self.connection.close_reason}"
            errors = self._queues["type:error"]
            raise ConnectionError(f"closed ({reason}) before {queue} came; error: {errors and list(errors._queue)}")  # type: ignore[attr-defined]
        return waiting.get_nowait()

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self.connection:
                self.raw_frames += 1
                self._unacknowledged += len(message)
                text = zlib.decompress(message, -zlib.MAX_WBITS) if isinstance(message, bytes) else message
                self._sort(json.loads(text))
                if self._unacknowledged >= _CREDIT_EVERY // 2:
                    self._unacknowledged = 0
                    await self.send({"type": "received", "data": self._last_seq})

    def _sort(self, frame: Frame) -> None:
        if frame["type"] == "batch":
            for message in frame["messages"]:
                self._sort(message)
        elif "seq" in frame:
            self._last_seq[frame["topic"]] = frame["seq"]
            self._queues["event"].put_nowait(frame)
        else:
            _check_shape(frame)
            id = frame.get("id")
            self._queues[f"type:{frame['type']}" if id is None else f"answer:{id}"].put_nowait(frame)


def _check_shape(frame: Frame) -> None:
    """Every frame of the connection itself is as the documents have it."""
    if (known := control.FROM_SERVER.get(frame["type"])) and known.data:
        known.data.model_validate(frame["data"], strict=True)
        assert known.has_topic == ("topic" in frame), frame


async def connect_to(
    ws_url: str,
    who: Speaker | None = None,
    *,
    path: str = "/ws/",
    headers: dict[str, str] | None = None,
    **options: Any,
) -> Socket:
    """Open a socket; with `who`, prove it in the header."""
    given = dict(headers or {})
    if who is not None:
        given["Authorization"] = f"Bearer {who.token}"
    options = {"max_size": None, "compression": None, "proxy": None, "open_timeout": 10} | options
    return Socket(await open_socket(f"{ws_url}{path}", additional_headers=given, **options))


class Api(httpx.AsyncClient):
    """REST as one person or agent."""

    def __init__(self, url: str, who: Speaker | None = None, **options: Any) -> None:
        headers = {"Authorization": f"Bearer {who.token}"} if who else {}
        super().__init__(base_url=url, headers=headers, timeout=30, trust_env=False, **options)

    async def page(self, topic: str, after: int | None = 0, **query: Any) -> Frame:
        """One answer of /api/v1/events/, whole."""
        parameters = {"topic": str(topic)} | ({} if after is None else {"after": after}) | query
        answer = await self.get("/api/v1/events/", params=parameters)
        assert answer.status_code == 200, answer.text
        page: Frame = answer.json()
        return page

    async def events(self, topic: str, after: int = 0, **query: Any) -> list[Frame]:
        """Every event after a cursor, page by page."""
        found: list[Frame] = []
        while True:
            page = await self.page(topic, after, **query)
            found += page["events"]
            if not page["events"] or page["events"][-1]["seq"] >= page["head"]:
                return found
            after = page["events"][-1]["seq"]

    async def send_frame(self, type: str, topic: str | None = None, *, id: str = "1", **data: Any) -> httpx.Response:
        """POST one command frame."""
        frame = {"type": type, "id": id, "data": data} | ({"topic": str(topic)} if topic else {})
        return await self.post("/api/v1/frames/", json=frame)
