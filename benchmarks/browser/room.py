"""A chat session on the server, and somebody who talks in it from elsewhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.support.clients import Api
from tests.support.servers import LiveServer


@dataclass(frozen=True)
class Alice:
    """Whoever the cast says she is."""

    token: str


@dataclass(frozen=True)
class Room:
    """One chat session of alice's."""

    api: Api
    topic: str
    path: str

    async def say(self, content: str) -> None:
        """As a client does; what is refused ends the benchmark."""
        answer = await self.api.send_frame("message", self.topic, id=uuid4().hex, content=content)
        if answer.status_code != 200:
            raise RuntimeError(f"not said: {answer.text}")

    async def sockets(self) -> int:
        """How many sockets the server has now."""
        answer = await self.api.get("/api/v1/ws/stats")
        found: int = answer.json()["stats"]["current_connections"]
        return found


@asynccontextmanager
async def room_of(server: LiveServer, cast: dict[str, Any]) -> AsyncIterator[Room]:
    """A fresh chat session."""
    async with Api(server.url, Alice(cast["people"]["alice"]["token"])) as api:
        answer = await api.post("/api/v1/chat/sessions/", json={"title": "Release"})
        yield Room(api, answer.json()["topic"], f"/chat/{answer.json()['id']}/")
