"""uvicorn's WebSocket protocol with one more door: ready-made frames straight to the transport.

ASGI's `send` costs a coroutine, a dict, an encode and a frame per client and message. Where thousands of clients get
the same bytes, that is most of the work. The consumer finds this protocol in `scope["extensions"]["signalbox.frames"]`
and falls back to plain ASGI on every other server.
"""

import time
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

PING = bytes((0x89, 0x00))


class SharedFrameProtocol(WebSocketsSansIOProtocol):
    """Use with `uvicorn --ws apps.gateway.servers:SharedFrameProtocol`."""

    on_writable: Callable[[], None] | None = None
    is_full = False
    heard_at = 0.0

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions["signalbox.frames"] = self

    def write_raw(self, frame: bytes) -> None:
        """Write one complete WebSocket frame. After the close frame, or when the client has gone, it is dropped."""
        if not self.close_sent and not self.disconnected:
            self.transport.write(frame)

    def ping(self) -> None:
        """Ask the client's WebSocket library for a pong, so that a dead connection is noticed."""
        self.write_raw(PING)

    def forget_handshake(self) -> None:
        """Let go of what only the handshake needed: some kilobytes for each idle connection."""
        self.scope = {"type": "websocket", "client": self.scope.get("client")}  # type: ignore[typeddict-item]
        del self.request, self.response

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        super().data_received(data)

    def start_keepalive(self) -> None:
        """The gateway's own wheel pings all sockets; a timer per connection would only cost memory."""

    def pause_writing(self) -> None:
        super().pause_writing()
        self.is_full = True

    def resume_writing(self) -> None:
        super().resume_writing()
        self.is_full = False
        if self.on_writable is not None:
            self.on_writable()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.is_full = False
        if self.on_writable is not None:
            self.on_writable()
            self.on_writable = None
