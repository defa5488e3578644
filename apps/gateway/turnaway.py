"""The answer for a socket address that leads nowhere."""

from typing import Any

from apps.accounts.refusals import UnknownAddress
from apps.events import wire


async def no_such_socket(scope: Any, receive: Any, send: Any) -> None:
    """Says in words that the address is wrong; a bare 403 or 1006 would send people looking for a network fault."""
    await receive()
    refusal = UnknownAddress("There is no socket at this address; /ws/ is the one.")
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": wire.error(refusal).decode()})
    await send({"type": "websocket.close", "code": refusal.close_code, "reason": refusal.message})
