"""A server with readers of one topic and a publisher: the same stage for every peer."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from benchmarks import servers
from benchmarks.api import Api
from benchmarks.connections import (
    Audience,
    Reader,
    SignalboxReader,
    SocketIOReader,
    TextbookReader,
    bearer,
    connect,
    connect_all,
)
from benchmarks.meters import CpuWatch, Latency
from benchmarks.publishers import Publisher, SignalboxAgent, SocketIOPublisher, TextbookPublisher
from benchmarks.servers import Server, Signalbox

_PATIENCE_SECONDS = 60
_GRACE_SECONDS = 0.25  # whoever hasn't everything this long after the last event is behind


@dataclass(frozen=True)
class Round:
    """What one round of events took."""

    deliveries: int
    seconds: float  # from the first byte sent to the last reader having everything
    latency: Latency
    server_cpu: float  # seconds
    generator_cpu: float  # seconds
    behind: int  # readers

    @property
    def rate(self) -> float:
        """Deliveries per second."""
        return self.deliveries / self.seconds

    @property
    def cpu_per_delivery(self) -> float:
        """Microseconds of the server."""
        return self.server_cpu / self.deliveries * 1e6


@dataclass
class Stand:
    """Readers and a publisher on one topic of one server."""

    server: Server
    audience: Audience
    publisher: Publisher

    async def burst(self, events: int) -> Round:
        """Publish `events` at once."""
        return await self._play(events, self._at_once)

    async def paced(self, rate: int, seconds: float) -> Round:
        """Publish `rate` events per second."""
        return await self._play(int(rate * seconds), partial(self._evenly, rate=rate))

    async def _play(self, events: int, publish: Callable[[int], Awaitable[None]]) -> Round:
        audience = self.audience
        audience.aim(self.publisher.seq + events)
        audience.forget_latencies()
        cpu = CpuWatch(self.server.pid)
        started_at = time.monotonic_ns()
        await publish(events)
        with suppress(TimeoutError):
            await audience.everyone_there(_GRACE_SECONDS)
        behind = len(audience.behind())
        await audience.everyone_there(_PATIENCE_SECONDS)
        return Round(
            deliveries=events * len(audience.readers),
            seconds=(audience.finished_at - started_at) / 1e9,
            latency=Latency.of(audience.latencies),
            server_cpu=cpu.server,
            generator_cpu=cpu.own,
            behind=behind,
        )

    async def _at_once(self, events: int) -> None:
        self.publisher.publish(events)

    async def _evenly(self, events: int, rate: int) -> None:
        started_at = time.monotonic()
        for number in range(events):
            wait = started_at + number / rate - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            self.publisher.publish()


@asynccontextmanager
async def socketio(readers: int) -> AsyncIterator[Stand]:
    with servers.socketio() as server:
        async with _peer(server, readers, SocketIOReader, SocketIOPublisher) as stand:
            yield stand


@asynccontextmanager
async def textbook(readers: int) -> AsyncIterator[Stand]:
    with servers.textbook() as server:
        async with _peer(server, readers, TextbookReader, TextbookPublisher) as stand:
            yield stand


@asynccontextmanager
async def signalbox(readers: int) -> AsyncIterator[Stand]:
    """Authenticated people who watch an agent's terminal."""
    with servers.signalbox(readers=readers) as server:
        agent = await printing_agent(server)
        audience = Audience()
        await connect_all(server.port, watchers(server, audience, agent.topic, readers))
        yield Stand(server, audience, agent)
        await audience.leave()
        await agent.leave()


async def printing_agent(server: Signalbox, name: str = "bench") -> SignalboxAgent:
    """An agent that has claimed a command and may print."""
    agent = await connect(server.port, partial(SignalboxAgent, name, bearer(server.seed.key)))
    with Api(server) as api:
        await asyncio.to_thread(api.request_command, agent.agent_id)
    await agent.claim()
    return agent


def watchers(
    server: Signalbox, audience: Audience, topic: str, count: int, after: int | None = None
) -> list[Callable[[], SignalboxReader]]:
    """Makers of `count` authenticated readers of a topic."""
    return [
        partial(SignalboxReader, audience, topic, bearer(server.token_for(number)), after) for number in range(count)
    ]


@asynccontextmanager
async def _peer(server: Server, readers: int, reader: type[Reader], publisher: type[Publisher]) -> AsyncIterator[Stand]:
    topic = f"terminal.{uuid4()}"
    audience = Audience()
    await connect_all(server.port, [partial(reader, audience, topic) for _ in range(readers)])
    made = await connect(server.port, partial(publisher, topic))
    yield Stand(server, audience, made)
    await audience.leave()
    await made.leave()
