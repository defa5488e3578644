"""After a restart everybody comes back at once, each with the same old cursor."""

import asyncio
import time
from functools import partial
from typing import Any

from benchmarks import servers, stands
from benchmarks.api import Api
from benchmarks.connections import Audience, SocketIOReader, connect_all
from benchmarks.meters import CpuWatch
from benchmarks.report import Outcome

CLIENTS = 1_000
BEHIND = 500
EARLIER = 250  # events that the clients have already
MUST_READS = 3
_PATIENCE_SECONDS = 60


async def resume_storm() -> Outcome:
    """Stop the server, start it, and let a thousand clients resume."""
    ours = await _signalbox()
    theirs = await _socketio()
    return Outcome(
        name="resume_storm",
        signalbox=f"{CLIENTS:,} complete after {ours['seconds']} s, {ours['event_reads']} database reads",
        peer=f"Socket.IO: {theirs['seconds']} s to reconnect, nothing is resumed",
        must=f"all complete, no gaps, ≤ {MUST_READS} reads per topic",
        reached=ours["complete"] == CLIENTS and ours["event_reads"] <= MUST_READS,
        figures={"clients": CLIENTS, "behind": BEHIND, "signalbox": ours, "socketio": theirs},
    )


async def _signalbox() -> dict[str, Any]:
    with servers.signalbox(readers=CLIENTS) as server:
        agent = await stands.printing_agent(server)
        for count in (EARLIER, BEHIND):
            agent.publish(count)
            await agent.all_acked()
        topic, head = agent.topic, agent.seq
        await agent.leave()
        server.stop()
        server.start()

        audience = Audience()
        audience.aim(head, readers=CLIENTS)
        cpu = CpuWatch(server.pid)
        started_at = time.monotonic_ns()
        comers = connect_all(
            server.port, stands.watchers(server, audience, topic, CLIENTS, after=head - BEHIND), at_once=CLIENTS
        )
        await asyncio.gather(comers, audience.everyone_there(_PATIENCE_SECONDS))
        with Api(server) as api:
            _, reads = await asyncio.to_thread(api.event_reads)
        complete = sum(reader.seq == head for reader in audience.readers)
        seconds = (audience.finished_at - started_at) / 1e9
        result = {
            "seconds": round(seconds, 2),
            "complete": complete,
            "event_reads": reads,
            "events_per_second": round(CLIENTS * BEHIND / seconds),
            "server_cpu_seconds": round(cpu.server, 2),
            "generator_cpu_seconds": round(cpu.own, 2),
        }
        await audience.leave()
        return result


async def _socketio() -> dict[str, Any]:
    with servers.socketio() as server:
        audience = Audience()
        cpu = CpuWatch(server.pid)
        started_at = time.monotonic()
        await connect_all(server.port, [partial(SocketIOReader, audience, "room")] * CLIENTS, at_once=CLIENTS)
        seconds = time.monotonic() - started_at
        result = {"seconds": round(seconds, 2), "server_cpu_seconds": round(cpu.server, 2)}
        await audience.leave()
        return result
