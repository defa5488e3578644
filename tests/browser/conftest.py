"""A room to talk in, a proxy to see it through, and how many sockets that takes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import live_fixture
from tests.support.proxy import Proxy
from tests.support.servers import LiveServer


@live_fixture
async def proxy(server: LiveServer) -> AsyncIterator[Proxy]:
    """A proxy before the server, whose ways can be closed."""
    proxy = await Proxy(server.port).start()
    yield proxy
    await proxy.stop()


@live_fixture
async def room(api: Any, alice: Any) -> dict[str, Any]:
    """A chat session of alice's."""
    answer = await api(alice).post("/api/v1/chat/sessions/", json={"title": "Release"})
    return {**answer.json(), "path": f"/chat/{answer.json()['id']}/"}


@pytest.fixture
def say(api: Any, alice: Any, room: dict[str, Any]) -> Callable[[str], Awaitable[None]]:
    """`await say("Hello")`: alice says it in the room, from elsewhere."""

    async def say(content: str) -> None:
        answer = await api(alice).send_frame("message", room["topic"], id=uuid4().hex, content=content)
        assert answer.status_code == 200, answer.text

    return say


@pytest.fixture
def sockets(server: LiveServer, alice: Any) -> Callable[[], int]:
    """How many sockets alice costs the server."""

    def count() -> int:
        statement = "SELECT COUNT(*) FROM gateway_connection WHERE user_id = %s"
        [[found]] = server.do("tests.support.seed:sql", statement, alice.id)
        return int(found)

    return count
