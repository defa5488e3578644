"""What no server can be faster than: the writes themselves, from a process that does nothing else."""

import multiprocessing
import os
import selectors
import socket
import time

from benchmarks.meters import Latency

MESSAGES = 400
BYTES = 280
PAUSE_SECONDS = 0.005


def writes(readers: int) -> Latency:
    """From the first to the last write of one message to so many TCP sockets, each read by one other process."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=readers)
    reading = multiprocessing.get_context("spawn").Process(
        target=_read, args=(listener.getsockname()[1], readers), daemon=True
    )
    reading.start()
    sockets = [listener.accept()[0] for _ in range(readers)]
    message, took = b"x" * BYTES, []
    descriptors = [one.fileno() for one in sockets]
    for _ in range(MESSAGES):
        time.sleep(PAUSE_SECONDS)
        began = time.monotonic_ns()
        for descriptor in descriptors:
            os.write(descriptor, message)
        took.append(time.monotonic_ns() - began)
    for one in (*sockets, listener):
        one.close()
    reading.join()
    return Latency.of(took)


def _read(port: int, readers: int) -> None:
    """Read everything, until the other side closes."""
    selector = selectors.DefaultSelector()
    for _ in range(readers):
        reader = socket.create_connection(("127.0.0.1", port))
        selector.register(reader, selectors.EVENT_READ, reader)
    while selector.get_map():
        for key, _ in selector.select():
            if not key.data.recv(65536):
                selector.unregister(key.data)
