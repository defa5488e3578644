"""What a connection costs that does nothing."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks import servers
from benchmarks.connections import Audience, Connection, SocketIOReader, connect_all
from benchmarks.meters import CpuWatch, Memory, memory
from benchmarks.report import Outcome
from benchmarks.servers import Server
from benchmarks.stands import watchers

CONNECTIONS = 4_000
WARM_UP = 100  # so that what a server loads on first use isn't counted
SETTLE_SECONDS = 4
MUST_KB = 24


async def idle() -> Outcome:
    """Authenticated, subscribed, silent."""
    with servers.signalbox(readers=CONNECTIONS + WARM_UP) as server:
        audience = Audience()
        topic = f"team.{server.seed.team_id}"
        ours = await _measure(server, watchers(server, audience, topic, CONNECTIONS + WARM_UP))
        await audience.leave()
    with servers.socketio() as peer:
        audience = Audience()
        room = partial(SocketIOReader, audience, "room")
        theirs = await _measure(peer, [room] * (CONNECTIONS + WARM_UP))
        await audience.leave()
    return Outcome(
        name="idle",
        signalbox=f"{ours['pss_kb_each']} KB each",
        peer=f"Socket.IO {theirs['pss_kb_each']} KB each",
        must=f"≤ {MUST_KB} KB at {CONNECTIONS:,}",
        reached=ours["pss_kb_each"] <= MUST_KB,
        figures={"connections": CONNECTIONS, "signalbox": ours, "socketio": theirs},
    )


async def _measure(server: Server, makers: Sequence[Callable[[], Connection]]) -> dict[str, Any]:
    await connect_all(server.port, makers[:WARM_UP])
    before = await _settled(server)
    started_at = asyncio.get_running_loop().time()
    await connect_all(server.port, makers[WARM_UP:])
    seconds = asyncio.get_running_loop().time() - started_at
    after = await _settled(server)
    cpu = CpuWatch(server.pid)
    await asyncio.sleep(SETTLE_SECONDS)
    return {
        "pss_kb_each": round((after.pss - before.pss) / CONNECTIONS, 1),
        "rss_kb_each": round((after.rss - before.rss) / CONNECTIONS, 1),
        "rss_kb": after.rss,
        "connects_per_second": round(CONNECTIONS / seconds),
        "cpu_while_idle": round(cpu.server / SETTLE_SECONDS, 3),
    }


async def _settled(server: Server) -> Memory:
    await asyncio.sleep(SETTLE_SECONDS)
    return memory(server.pid)
