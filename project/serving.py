"""One web process: uvicorn as Signalbox needs it, in this process, so that "the server" is exactly one pid.

`python -m project.serving --port 8000` is the bare web process of a scaled installation, and of the tests.
`manage.py serve` runs the same server with all that an embedded installation wants around it.
"""

import argparse
import asyncio
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from apps.gateway.servers import SharedFrameProtocol

SHUTDOWN_SECONDS = 5


class PortTaken(Exception):
    """Somebody listens there already; the message says where and what to do."""


class Server(uvicorn.Server):
    """uvicorn that calls `listening` once it accepts connections, and that no waiting reader keeps from stopping.

    `stopping` runs in a thread before it stops, while it still answers; after a second Ctrl-C nobody waits for that.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        listening: Callable[[], None] | None = None,
        stopping: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(config)
        self._listening, self._stopping = listening, stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is loaded now stays for good: the collector need not look at it again, nor stop a flush for it so often.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        if self.started and self._listening:
            self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        from apps.gateway import hub

        if self._stopping:
            # No thread of the loop's own: the loop would wait for it in the end.
            helper = threading.Thread(target=self._stopping, name="stopping", daemon=True)
            helper.start()
            while helper.is_alive() and not self.force_exit:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        if running := hub.running():
            running.end_waiting()
        await super().shutdown(sockets)


def port_of(text: str) -> int:
    """A port as the command line or the environment has it. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def listen_on(host: str, port: int) -> socket.socket:
    """A listening socket; from here on connections wait instead of being refused. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortTaken(f"Cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}.") from error
    listener.setblocking(False)
    return listener


def serve(
    listener: socket.socket,
    listening: Callable[[], None] | None = None,
    stopping: Callable[[], object] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; sockets are then closed with 1012, so that clients come back."""
    # A database thread may hold the interpreter so long while the loop wants to send (seconds; the default is 5 ms).
    sys.setswitchinterval(0.0005)
    config = uvicorn.Config(
        "project.asgi:application",
        loop="uvloop",
        http="httptools",
        ws=SharedFrameProtocol,
        ws_max_size=_largest_frame(),
        ws_per_message_deflate=False,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=True,
    )
    with _signals_end_it_quietly():
        Server(config, listening, stopping).run(sockets=[listener])


def _largest_frame() -> int:
    """Bytes of the largest message that uvicorn hands on. The gateway refuses what is above a limit with a sentence;
    this only bounds memory."""
    from django.conf import settings

    return 2 * max(settings.LIMITS["frame_bytes"], settings.LIMITS["agent_frame_bytes"])


@contextmanager
def _signals_end_it_quietly() -> Iterator[None]:
    """uvicorn stops on SIGINT and SIGTERM and then raises them again, for whoever was there before: nobody."""
    before = {sign: signal.signal(sign, lambda *_: None) for sign in (signal.SIGINT, signal.SIGTERM)}
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # a closed terminal; not after `nohup`
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m project.serving", description="One web process of Signalbox.")
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    parser.add_argument("--port", type=port_of, default=os.environ.get("PORT", "8000"))
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    try:
        listener = listen_on(options.host, options.port)
    except PortTaken as taken:
        parser.exit(1, f"{taken}\n")
    serve(listener)


if __name__ == "__main__":
    main()
