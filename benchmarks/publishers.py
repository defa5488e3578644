"""Who sends the events: a client of each server that can `publish` a number of log lines."""

import asyncio
from abc import ABC, abstractmethod
from random import uniform
from time import monotonic_ns
from typing import Any
from uuid import uuid4

from benchmarks.connections import Connection, textbook_path
from benchmarks.frames import client_frame
from benchmarks.payload import dumps, envelope, loads, log_line

_COMMAND_ID = str(uuid4())


class Publisher(Connection, ABC):
    """Sends events to one topic and knows the seq of the last one."""

    def __init__(self, topic: str, headers: str = "") -> None:
        super().__init__(headers)
        self.topic = topic
        self.seq = 0

    def publish(self, count: int = 1) -> None:
        """Send `count` events at once, in one write."""
        self.transport.write(b"".join(client_frame(self.next_message()) for _ in range(count)))

    @abstractmethod
    def next_message(self) -> bytes:
        """The next event in the words of the server's protocol."""

    def next_event(self) -> dict[str, Any]:
        """For peers: the event as it will be delivered."""
        self.seq += 1
        return envelope(self.topic, self.seq, _COMMAND_ID, log_line(monotonic_ns()))


class SocketIOPublisher(Publisher):
    """Emits `publish`; the server emits to the room."""

    path = "/socket.io/?EIO=4&transport=websocket"

    def heard(self, message: bytes) -> None:
        if message.startswith(b"0{"):
            self.say(b"40")
        elif message.startswith(b"40"):
            self.ready.set_result(None)
        elif message == b"2":
            self.say(b"3")

    def next_message(self) -> bytes:
        return b"42" + dumps(["publish", self.next_event()])


class TextbookPublisher(Publisher):
    """A member of the group like its readers: it is sent its own events too, and drops them."""

    def __init__(self, topic: str, headers: str = "") -> None:
        super().__init__(topic, headers)
        self.path = textbook_path(topic)

    def opened(self) -> None:
        self.ready.set_result(None)

    def next_message(self) -> bytes:
        return dumps(self.next_event())


class SignalboxAgent(Publisher):
    """An agent as the protocol describes it, except that it prints without running anything.

    Ready when connected and following its inbox. `claim` waits for a command and starts it.
    """

    path = "/ws/"

    def __init__(self, name: str, headers: str, labels: tuple[str, ...] = ()) -> None:
        super().__init__("", headers)
        self.name = name
        self.instance = uuid4().hex
        self.command_id = ""
        self.acked = 0  # output frames that are stored
        self.agent_id = ""
        self.refused: list[dict[str, Any]] = []
        self._labels = labels
        self._offset = 0
        self._inbox = ""
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._requests: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._beating: asyncio.Task[None] | None = None
        self._connecting: asyncio.Task[None] | None = None

    def next_message(self) -> bytes:
        return self.output(log_line(monotonic_ns()))

    def print(self, text: str) -> None:
        """Pass on what the command printed."""
        self.say(self.output(text))

    def output(self, text: str) -> bytes:
        """The next `terminal:output` frame of the claimed command."""
        self.seq += 1
        frame = {
            "type": "terminal:output",
            "id": f"{self.command_id}:{self.seq}",
            "topic": self.topic,
            "data": {"command_id": self.command_id, "offset": self._offset, "text": text},
        }
        self._offset += len(text)
        return dumps(frame)

    async def claim(self) -> None:
        """Wait for a command request and start it."""
        event = await self._requests.get()
        self.command_id = event["data"]["command_id"]
        await self.ask("command:state", self._inbox, {"command_id": self.command_id, "status": "running"})

    async def finish(self) -> None:
        """Report success, so that nothing of this agent stays open."""
        data = {"command_id": self.command_id, "status": "succeeded", "exit_code": 0}
        await self.ask("command:state", self._inbox, data)

    async def all_acked(self, timeout: float = 30) -> None:
        """Wait until the server has stored every frame that was sent."""
        async with asyncio.timeout(timeout):
            while self.acked < self.seq:
                if self.refused:
                    raise RuntimeError(f"{self.name} was refused: {self.refused[0]}")
                await asyncio.sleep(0.005)

    async def ask(self, kind: str, topic: str | None, data: dict[str, Any], timeout: float = 20) -> dict[str, Any]:
        """Send a frame and return its ack's data."""
        frame_id = uuid4().hex
        self._answers[frame_id] = asyncio.get_running_loop().create_future()
        frame: dict[str, Any] = {"type": kind, "id": frame_id, "data": data}
        if topic:
            frame["topic"] = topic
        self.say(dumps(frame))
        async with asyncio.timeout(timeout):
            return await self._answers[frame_id]

    def heard(self, message: bytes) -> None:
        frame = loads(message)
        for one in frame["messages"] if frame["type"] == "batch" else (frame,):
            self._told(one)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._beating:
            self._beating.cancel()

    def _told(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "ack" | "subscribed" | "error":
                self._answered(frame)
            case "connection_established":
                self._connecting = asyncio.ensure_future(self._connect())
            case "command:request":
                self._requests.put_nowait(frame)

    def _answered(self, frame: dict[str, Any]) -> None:
        frame_id = frame.get("id") or ""
        if answer := self._answers.pop(frame_id, None):
            if frame["type"] == "error":
                answer.set_exception(RuntimeError(str(frame["data"])))
            else:
                answer.set_result(frame["data"])
        elif frame["type"] == "ack":
            self.acked += 1
        else:
            self.refused.append(frame)

    async def _connect(self) -> None:
        try:
            me = (await self.ask("agent:connect", None, self._introduction()))["data"]
            self.agent_id, self._inbox, self.topic = me["agent_id"], me["topic"], me["terminal"]
            await self.ask("subscribe", self._inbox, {"after": me["after"], "epoch": me["epoch"]})
        except Exception as error:
            return self._fail(error)
        self._beating = asyncio.ensure_future(self._beat(me["heartbeat_seconds"]))
        self.ready.set_result(None)

    def _introduction(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "instance": self.instance,
            "accepts": ["shell"],
            "labels": list(self._labels),
            "slots": 1,
            "version": "bench",
            "platform": "bench",
            "running": [],
        }

    async def _beat(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds * uniform(0.75, 1.0))  # as signalbox-agent does
            running = [self.command_id] if self.command_id else []
            metrics = {"cpu_percent": 0.0, "rss_bytes": 0, "load": 0.0}
            data = {"instance": self.instance, "metrics": metrics, "running": running}
            await self.ask("agent:status", self._inbox, data)
