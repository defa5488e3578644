"""A chat room on a live server: what the tests of the wire talk in."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.conftest import live_fixture
from tests.support.clients import Api, Socket
from tests.support.servers import LiveServer


@dataclass(frozen=True)
class Room:
    """A chat session of alice and bob."""

    topic: str

    @property
    def id(self) -> str:
        return self.topic.partition(".")[2]


@live_fixture
async def room(api: Callable[..., Api], alice: Any, bob: Any) -> Room:
    made = await api(alice).post("/api/v1/chat/sessions/", json={"title": "A test"})
    assert made.status_code == 201, made.text
    topic = made.json()["topic"]
    added = await api(alice).send_frame("member:add", topic, id=uuid4().hex, user_id=bob.id)
    assert added.status_code == 200, added.text
    return Room(topic)


async def say(who: Api, topic: str, text: str, id: str | None = None) -> int:
    """Post a message over HTTP; its seq."""
    answer = await who.send_frame("message", topic, id=id or uuid4().hex, content=text)
    assert answer.status_code == 200, answer.text
    seq: int = answer.json()["data"]["seq"]
    return seq


def write_elsewhere(server: LiveServer, topic: str, *texts: str) -> int:
    """Append messages from another process; the seq of the last one."""
    seq: int = server.do("tests.gateway.live.elsewhere:post", topic, texts)
    return seq


def contents(events: list[dict[str, Any]]) -> list[str]:
    """What people said, in order."""
    return [event["data"]["content"] for event in events if event["type"] == "message"]


def seqs(events: list[dict[str, Any]]) -> list[int]:
    return [event["seq"] for event in events]


async def raw_text(socket: Socket) -> str:
    """The next message as it is on the wire; the socket must have stopped sorting (`pause`)."""
    async with asyncio.timeout(10):
        message = await socket.connection.recv()
    assert isinstance(message, str)
    return message


def raw_events(text: str) -> list[str]:
    """The raw JSON text of each event in a frame or a page: bytes between their braces, not parsed and written again."""
    found = []
    place = text.find('{"type":', 1 if text.startswith(('{"type":"batch"', '{"topic"')) else 0)
    decoder = json.JSONDecoder()
    while place >= 0:
        event, end = decoder.raw_decode(text, place)
        if "seq" in event:
            found.append(text[place:end])
        place = text.find('{"type":', end)
    return found
