"""The answer for a socket address that leads nowhere."""

from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from apps.accounts.refusals import NotFound
from apps.events import wire
from apps.gateway.protocol import UNKNOWN_ADDRESS


class NoSuchSocket(AsyncConsumer):  # type: ignore[misc]
    """Says in words that the address is wrong; a bare 403 or 1006 would send people looking for a network fault."""

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        refusal = NotFound("There is no socket at this address; /ws/ is the one.")
        await self.send({"type": "websocket.accept"})
        await self.send({"type": "websocket.send", "text": wire.error(refusal).decode()})
        await self.send({"type": "websocket.close", "code": UNKNOWN_ADDRESS, "reason": refusal.message})

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        """Whatever it says, it has its answer."""

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        raise StopConsumer
