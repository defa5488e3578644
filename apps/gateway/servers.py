"""uvicorn's WebSocket protocol with one more door: ready-made frames straight to the transport.

ASGI's `send` costs a coroutine, a dict, an encode and a frame per client and message. Where thousands of clients get
the same bytes, that is most of the work. The consumer finds this protocol in `scope["extensions"]["signalbox.frames"]`
and falls back to plain ASGI on every other server.
"""

import fcntl
import sys
import termios
import time
from asyncio import Transport
from typing import Any

from django.conf import settings
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from apps.accounts.refusals import TooFast
from apps.events import wire
from apps.gateway.frames import Frame
from apps.gateway.limits import Bucket
from apps.gateway.outlets import RawOutlet

PING = bytes((0x89, 0x00))
PIECE = 4096
"""Bytes that are parsed at a time; what comes at once may hold a hundred thousand of the smallest WebSocket frames."""


class SharedFrameProtocol(WebSocketsSansIOProtocol):
    """Use with `uvicorn --ws apps.gateway.servers:SharedFrameProtocol`."""

    outlet: RawOutlet | None = None
    alive_at = 0.0
    unsent = 0
    allowed: Bucket | None = None

    def handle_connect(self, event: Any) -> None:
        # Pings, pongs and the parts of messages cost as much as messages, which alone the gateway counts.
        limits = settings.LIMITS
        self.allowed = Bucket(2 * max(limits["frames_per_second"], limits["agent_frames_per_second"]))
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions["signalbox.frames"] = self

    def ping(self) -> None:
        """Ask the client's WebSocket library for a pong, so that a dead connection is noticed."""
        if not self.close_sent and not self.disconnected:
            self.transport.write(PING)

    def forget_handshake(self) -> None:
        """Let go of what only the handshake needed: some kilobytes for each idle connection."""
        self.scope = {"type": "websocket", "client": self.scope.get("client")}  # type: ignore[typeddict-item]
        del self.request, self.response

    def data_received(self, data: bytes) -> None:
        self.alive_at = time.monotonic()
        for start in range(0, len(data), PIECE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + PIECE])

    def handle_events(self) -> None:
        """Whoever sends far more frames than the gateway would take is cut off before they are looked at."""
        if self.allowed is not None and self.allowed.take(len(self.conn.events)):
            self._cut_off(TooFast("You send too many WebSocket frames.", retry_after=1.0))
        else:
            super().handle_events()

    def handle_ping(self) -> None:
        """Whoever does not take our pongs is read no further until it does, so that they cannot pile up."""
        super().handle_ping()
        if not self.writable.is_set():
            self.transport.pause_reading()

    def handle_cont(self, event: Any) -> None:
        """The size of a message is limited; how many empty parts it has is not."""
        if event.data or event.fin:
            super().handle_cont(event)

    def sign_of_life(self, now: float) -> float:
        """When there was the last one. While much is unsent nothing is read: who takes some of it is alive too."""
        if unsent := self.transport.get_write_buffer_size():
            unsent += _in_the_kernel(self.transport)
        if unsent < self.unsent:
            self.alive_at = now
        if unsent != self.unsent:
            self.unsent = unsent
        return self.alive_at

    def send_receive_event_to_app(self) -> None:
        """Text that is not UTF-8 ends the connection quietly: no fault of the server, so no traceback."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def start_keepalive(self) -> None:
        """The gateway's own wheel pings all sockets; a timer per connection would only cost memory."""

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.outlet is not None:
            self.outlet.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()
        if self.outlet is not None:
            self.outlet.resume()

    def shutdown(self) -> None:
        self._detach()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._detach()

    def _cut_off(self, refusal: TooFast) -> None:
        """Say why and close. Whoever takes nothing would not read that either."""
        if self.handshake_complete and self.writable.is_set() and not self.close_sent:
            self.transport.write(Frame(wire.error(refusal)).raw_text)
            self.conn.fail(refusal.close_code or 0, refusal.message)
            self.handle_parser_exception()
        else:
            self.transport.abort()

    def _detach(self) -> None:
        if self.outlet is not None:
            self.outlet.detach()
            self.outlet = None


def _in_the_kernel(transport: Transport) -> int:
    """Bytes that the client has not acknowledged: megabytes on a slow link, of which the kernel wants no more before a
    third has gone. 0 on systems that do not tell."""
    try:
        told = fcntl.ioctl(transport.get_extra_info("socket"), termios.TIOCOUTQ, bytes(4))
    except OSError:
        return 0
    return int.from_bytes(told, sys.byteorder)
