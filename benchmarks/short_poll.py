"""Polling clients that find nothing new, which is what they find nearly always."""

import asyncio
import time
from functools import partial
from typing import Any, cast

from benchmarks import servers, stands
from benchmarks.api import Api
from benchmarks.connections import HOST
from benchmarks.meters import CpuWatch, Latency
from benchmarks.report import Outcome
from benchmarks.servers import CONNECTIONS_PER_USER, Signalbox

EVENTS = 500
CLIENTS = 20
"""Each is somebody else, so that no limit has to be raised."""
SECONDS = 4


class Poller(asyncio.Protocol):
    """One keep-alive connection that asks the same again as soon as it is answered."""

    def __init__(self, request: bytes) -> None:
        self.statuses: dict[str, int] = {}
        self.latencies: list[int] = []
        self.transport: asyncio.Transport
        self._request = request
        self._buffer = b""
        self._asked_at = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        self.latencies.append(time.monotonic_ns() - self._asked_at)
        status = head[9:12].decode()
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self._buffer = b""
        self._ask()

    def _ask(self) -> None:
        self._asked_at = time.monotonic_ns()
        self.transport.write(self._request)


async def short_poll() -> Outcome:
    """The same question with the ETag of the last answer, and without."""
    with servers.signalbox(readers=CLIENTS * CONNECTIONS_PER_USER) as server:
        agent = await stands.printing_agent(server)
        agent.publish(EVENTS)
        await agent.all_acked()
        path = f"/api/v1/events/?topic={agent.topic}&after={EVENTS}"
        with Api(server) as api:
            etag = await asyncio.to_thread(api.etag, path)
            reads_before, _ = await asyncio.to_thread(api.event_reads)
            known = await _poll(server, path, etag)
            reads_after, _ = await asyncio.to_thread(api.event_reads)
        everything = await _poll(server, f"/api/v1/events/?topic={agent.topic}&after=0", "")
        await agent.leave()
    reads = reads_after - reads_before
    only_304 = set(known["statuses"]) == {"304"}
    return Outcome(
        name="short_poll",
        signalbox=f"{known['per_second']:,} answers/s (304), {reads} reads of events",
        peer=f"the same server sending {EVENTS} events: {everything['per_second']:,} answers/s",
        must="304, 0 reads of events",
        reached=only_304 and reads == 0,
        figures={"clients": CLIENTS, "event_reads": reads, "unchanged": known, "everything": everything},
    )


async def _poll(server: Signalbox, path: str, etag: str) -> dict[str, Any]:
    known = f"If-None-Match: {etag}\r\n" if etag else ""
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n{known}\r\n".encode()
        for token in server.seed.tokens[:CLIENTS]
    ]
    loop = asyncio.get_running_loop()
    cpu = CpuWatch(server.pid)
    started_at = time.monotonic()
    made = [await loop.create_connection(partial(Poller, request), HOST, server.port) for request in requests]
    await asyncio.sleep(SECONDS)
    seconds = time.monotonic() - started_at
    pollers = [poller for _, poller in made]
    for poller in pollers:
        poller.transport.abort()
    statuses: dict[str, int] = {}
    for poller in pollers:
        for status, count in poller.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    latency = Latency.of([one for poller in pollers for one in poller.latencies])
    return {
        "per_second": round(sum(statuses.values()) / seconds),
        "statuses": statuses,
        "p50_ms": latency.p50,
        "p99_ms": latency.p99,
        "server_cpu": round(cpu.server / seconds, 2),
        "generator_cpu": round(cpu.own / seconds, 2),
    }


def _content_length(head: bytes) -> int:
    """Bytes of the body; an answer without the header has none."""
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if found and head[9:12] != b"304" else 0
