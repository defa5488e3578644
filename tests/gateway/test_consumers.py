"""A socket from the handshake on, without a server: who comes in, and who no longer does."""

import asyncio
import json
from typing import Any

from apps.gateway.turnaway import no_such_socket


class Visit:
    """The ASGI side of one client: it comes, and it goes when it was told to."""

    def __init__(self, token: str = "") -> None:
        self.scope = {"type": "websocket", "headers": [(b"authorization", f"Bearer {token}".encode())]}
        self.said: list[Any] = []
        self._comes = [{"type": "websocket.connect"}]
        self._told_to_go = asyncio.Event()

    async def receive(self) -> Any:
        if self._comes:
            return self._comes.pop()
        async with asyncio.timeout(5):
            await self._told_to_go.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(self, message: Any) -> None:
        match message["type"]:
            case "websocket.send":
                self.said.append(json.loads(message["text"])["type"])
            case "websocket.close":
                self.said.append(message["code"])
                self._told_to_go.set()


async def test_an_unknown_address_needs_no_channel_layer(settings):
    settings.CHANNEL_LAYERS = {}
    visit = Visit()
    await no_such_socket(visit.scope, visit.receive, visit.send)
    assert visit.said == ["error", 4404]
