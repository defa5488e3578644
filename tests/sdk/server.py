"""A scripted server in this process: it speaks the wire, and does to its agent what a test asks for."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Frame = dict[str, Any]
TOPIC, TERMINAL = "agent.1", "terminal.1"


class ScriptedServer:
    """Numbers what it appends, remembers each accepted frame once, and answers unless `is_deaf` or told otherwise."""

    def __init__(self) -> None:
        self.events: list[Frame] = []
        self.received: list[Frame] = []
        self.accepted: dict[str, Frame] = {}
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.is_deaf = False
        self.welcome: Frame = {"after": 0, "epoch": "e1", "heartbeat_seconds": 0.2, "lease_seconds": 15}
        self.limits: Frame = {"agent_frames_per_second": 1000, "agent_frame_bytes": 1024 * 1024}
        self.answer: Callable[[Frame], Frame | None] = self.ack
        self.on_subscribe: Callable[[Frame], Frame | None] = lambda frame: None
        self.process_request: Any = None
        self._sockets: set[ServerConnection] = set()
        self._server: Server | None = None
        self.port = 0

    async def start(self) -> "ScriptedServer":
        options: dict[str, Any] = {"process_request": self._process_request, "ping_interval": None, "max_size": None}
        self._server = await serve(self._talk, "127.0.0.1", self.port, **options)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """As a power cut would: nobody gets a goodbye."""
        self.drop()
        if self._server:
            self._server.close(close_connections=False)
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # What a test makes it do ------------------------------------------------------------------------

    def drop(self) -> None:
        for socket in self._sockets:
            socket.transport.abort()

    async def close(self, code: int, error: Frame | None = None) -> None:
        for socket in list(self._sockets):
            if error:
                await socket.send(json.dumps({"type": "error", "data": error}))
            await socket.close(code)

    def append(self, type: str, **data: Any) -> Frame:
        """Store an event in the inbox without pushing it."""
        event = {"type": type, "topic": TOPIC, "seq": len(self.events) + 1, "timestamp": "now", "data": data}
        self.events.append(event)
        return event

    async def push(self, *frames: Frame) -> None:
        message = frames[0] if len(frames) == 1 else {"type": "batch", "messages": frames}
        for socket in list(self._sockets):
            with suppress(ConnectionClosed):
                await socket.send(json.dumps(message))

    async def say(self, type: str, **data: Any) -> Frame:
        """Append an event and push it."""
        event = self.append(type, **data)
        await self.push(event)
        return event

    async def request(self, command_id: str, **spec: Any) -> Frame:
        return await self.say("command:request", command_id=command_id, kind="shell", spec=spec, attempt=1)

    # What a test asks -------------------------------------------------------------------------------

    def of(self, type: str) -> list[Frame]:
        """What was accepted of a type, once each, in order."""
        return [frame for frame in self.accepted.values() if frame["type"] == type]

    def states(self, command_id: str) -> list[str]:
        reports = [frame["data"] for frame in self.of("command:state")]
        return [data.get("interrupt") or data["status"] for data in reports if data["command_id"] == command_id]

    def end_of(self, command_id: str) -> Frame:
        return next(f["data"] for f in self.of("command:state") if f["id"] == f"{command_id}:end")

    def text(self, command_id: str) -> str:
        """What a command printed; fails when a piece is missing or in the wrong place."""
        text = ""
        for frame in self.of("terminal:output"):
            if frame["data"]["command_id"] == command_id:
                assert frame["data"]["offset"] == len(text)
                text += frame["data"]["text"]
        return text

    async def until(self, condition: Callable[[], Any], seconds: float = 10) -> None:
        for _ in range(int(seconds / 0.01)):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"not within {seconds} s; the last frames were {self.received[-5:]}")

    async def ended(self, command_id: str, seconds: float = 10) -> Frame:
        await self.until(lambda: f"{command_id}:end" in self.accepted, seconds)
        return self.end_of(command_id)

    # The wire -----------------------------------------------------------------------------------------

    def ack(self, frame: Frame) -> Frame | None:
        self.accepted.setdefault(frame["id"], frame)
        return {"type": "ack", "id": frame["id"], "data": {"topic": frame.get("topic"), "seq": 1}}

    def refuse(self, frame: Frame, code: str, retry_after: float | None = None) -> Frame:
        data: Frame = {"code": code, "message": f"No: {code}."}
        if retry_after is not None:
            data["retry_after"] = retry_after
        return {"type": "error", "id": frame["id"], "data": data}

    async def _process_request(self, connection: ServerConnection, request: Any) -> Any:
        return await self.process_request(connection, request) if self.process_request else None

    async def _talk(self, socket: ServerConnection) -> None:
        self.connections += 1
        self.headers.append(dict(socket.request.headers) if socket.request else {})
        self._sockets.add(socket)
        try:
            await socket.send(json.dumps({"type": "connection_established", "data": {"limits": self.limits}}))
            async for raw in socket:
                frame = json.loads(raw)
                self.received.append(frame)
                if not self.is_deaf and (answer := self._answer_to(frame)):
                    await socket.send(json.dumps(answer))
                    if frame["type"] == "subscribe" and answer["type"] == "subscribed":
                        for event in self.events[frame["data"].get("after", 0) :]:
                            await socket.send(json.dumps(event))
        except ConnectionClosed:
            pass
        finally:
            self._sockets.discard(socket)

    def _answer_to(self, frame: Frame) -> Frame | None:
        match frame["type"]:
            case "ping":
                return {"type": "pong", "data": {"time": 0}}
            case "received":
                return None
            case "subscribe":
                data = {"topic": TOPIC, "epoch": self.welcome["epoch"], "head": len(self.events), "recovered": True}
                plain = {"type": "subscribed", "id": frame["id"], "topic": TOPIC, "data": data}
                return self.on_subscribe(frame) or plain
            case "agent:connect":
                answer = self.answer(frame)
                if answer and answer["type"] == "ack":
                    who = {"agent_id": "1", "topic": TOPIC, "terminal": TERMINAL}
                    answer["data"] = {"topic": TOPIC, "seq": 1, "data": who | self.welcome}
                return answer
        return self.answer(frame)
