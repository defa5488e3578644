"""What starts and ends with a serving process."""

import asyncio
from typing import Any

from apps.events.threads import release_connections
from apps.gateway import hub, wheel


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """ASGI lifespan. Servers without it (daphne) start the same parts with their first socket."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await hub.current()
            wheel.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await wheel.stop()
            await hub.stop()
            await asyncio.to_thread(release_connections)
            await send({"type": "lifespan.shutdown.complete"})
            return
