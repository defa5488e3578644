"""A hundred agents print all at once, and people watch the run to which they all belong.

Each frame becomes two events: one on its agent's terminal, one in the log of the run, which is the busiest topic.
"""

import asyncio
import random
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any

from benchmarks import servers
from benchmarks.api import Api
from benchmarks.connections import Audience, SignalboxReader, bearer, connect, connect_all
from benchmarks.meters import CpuWatch, Latency
from benchmarks.payload import loads
from benchmarks.publishers import SignalboxAgent
from benchmarks.report import Outcome
from benchmarks.servers import Signalbox
from benchmarks.stands import watchers

AGENTS = 100
LINES_PER_SECOND = 100
SECONDS = 20
WATCHERS = 20
COALESCE_SECONDS = 0.05  # as signalbox-agent does
MUST_P99_MS = 150
_PATIENCE_SECONDS = 60

_LINE = "sent={:019d} agent={:03d} line={:06d} \x1b[32mok\x1b[0m test_a_reader_that_was_away PASSED\r\n"
_PRINTED = """
    SELECT topic, data FROM events_storedevent WHERE type IN ('terminal:output', 'workflow_log') ORDER BY topic, seq
"""
_NUMBERED = re.compile(r"agent=(\d+) line=(\d+) ")

Lines = dict[int, list[int]]
"""The numbers of an agent's lines, as they came."""


async def sqlite() -> Outcome:
    return await _ingest("ingest_sqlite", nullcontext(""))


async def postgres() -> Outcome:
    return await _ingest("ingest_postgres", servers.postgres())


async def _ingest(name: str, database: Any) -> Outcome:
    with database as url, servers.signalbox(readers=WATCHERS, database_url=url) as server:
        figures = await _measure(server)
    lines = AGENTS * LINES_PER_SECOND * SECONDS
    whole = all(figures[place] == lines for place in ("stored_terminal", "stored_run", "watched_in_order"))
    return Outcome(
        name=name,
        signalbox=f"{lines:,} lines, p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms",
        peer=f"{figures['events_per_second']:,} events/s stored, server {figures['server_cpu']} cores",
        must=f"all stored, once and in order, p99 < {MUST_P99_MS} ms",
        reached=whole and figures["p99_ms"] < MUST_P99_MS,
        figures={"agents": AGENTS, "watchers": WATCHERS, "lines": lines, **figures},
    )


async def _measure(server: Signalbox) -> dict[str, Any]:
    names = [f"agent-{number:03d}" for number in range(AGENTS)]
    key = bearer(server.seed.key)
    agents = await connect_all(server.port, [partial(SignalboxAgent, name, key) for name in names], at_once=10)
    with Api(server) as api:
        topic = await asyncio.to_thread(api.start_run, "Ingest", names)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await asyncio.gather(*(agent.claim() for agent in agents))
        audience = Audience()
        await connect_all(server.port, watchers(server, audience, topic, WATCHERS - 1, after=0))
        scribe = await connect(
            server.port, partial(Scribe, audience, topic, bearer(server.token_for(WATCHERS - 1)), after=0)
        )

        cpu = CpuWatch(server.pid)
        started_at = time.monotonic()
        await asyncio.gather(*(_print_lines(agent, number) for number, agent in enumerate(agents)))
        await asyncio.gather(*(agent.all_acked(_PATIENCE_SECONDS) for agent in agents))
        seconds = time.monotonic() - started_at
        server_cpu, generator_cpu = cpu.server / seconds, cpu.own / seconds
        frames = sum(agent.seq for agent in agents)
        audience.aim(await asyncio.to_thread(api.head, topic))
        await audience.everyone_there(_PATIENCE_SECONDS)
        event_reads, _ = await asyncio.to_thread(api.event_reads)
    latency = Latency.of(audience.latencies)
    result = {
        "p50_ms": latency.p50,
        "p99_ms": latency.p99,
        "max_ms": latency.max,
        "seconds": round(seconds, 2),
        "frames": frames,
        "events_per_second": round(2 * frames / seconds),
        "server_cpu": round(server_cpu, 2),
        "generator_cpu": round(generator_cpu, 2),
        "event_reads": event_reads,
        "watched_in_order": _in_order(scribe.lines),
    }
    stored = await asyncio.to_thread(_stored_lines, server)
    await audience.leave()
    await asyncio.gather(*(agent.leave() for agent in agents))
    return result | {"stored_terminal": _in_order(stored["terminal"]), "stored_run": _in_order(stored["run"])}


class Scribe(SignalboxReader):
    """A watcher that also reads every line, while the others only check seqs."""

    def __init__(self, audience: Audience, topic: str, headers: str = "", after: int | None = None) -> None:
        super().__init__(audience, topic, headers, after)
        self.lines: Lines = {}
        self._known = {}  # it parses each message itself

    def events_of(self, message: bytes) -> tuple[list[dict[str, Any]], bool]:
        events, _ = super().events_of(message)
        for event in events:
            _note_lines(self.lines, event["data"])
        return events, False


async def _print_lines(agent: SignalboxAgent, number: int) -> None:
    """Print evenly; what was printed within COALESCE_SECONDS leaves as one frame. Latency counts from the printing."""
    await asyncio.sleep(random.uniform(0, COALESCE_SECONDS))
    started_at = time.monotonic_ns()
    interval = 1_000_000_000 // LINES_PER_SECOND
    printed = 0
    total = LINES_PER_SECOND * SECONDS
    while printed < total:
        await asyncio.sleep(COALESCE_SECONDS)
        due = min(total, (time.monotonic_ns() - started_at) // interval)
        births = ((started_at + line * interval, line) for line in range(printed + 1, due + 1))
        if text := "".join(_LINE.format(birth, number, line) for birth, line in births):
            agent.print(text)
        printed = due


def _note_lines(lines: Lines, data: dict[str, Any]) -> None:
    for agent, line in _NUMBERED.findall(data.get("text", "")):
        lines.setdefault(int(agent), []).append(int(line))


def _in_order(lines: Lines) -> int:
    """How many lines are there, if each agent's are 1, 2, 3 …; -1 otherwise."""
    whole = all(numbers == list(range(1, len(numbers) + 1)) for numbers in lines.values())
    return sum(map(len, lines.values())) if whole else -1


def _stored_lines(server: Signalbox) -> dict[str, Lines]:
    """What the database itself holds, by the kind of topic."""
    found: dict[str, Lines] = {"terminal": {}, "run": {}}
    for topic, data in _rows(server):
        _note_lines(found[topic.partition(".")[0]], loads(data))
    return found


def _rows(server: Signalbox) -> Iterator[tuple[str, str]]:
    if server.database_url.startswith("sqlite"):
        with sqlite3.connect(server.data_dir / "signalbox.sqlite3") as database:
            yield from database.execute(_PRINTED)
    else:
        import psycopg

        with psycopg.connect(server.database_url) as database:
            yield from database.execute(_PRINTED)
