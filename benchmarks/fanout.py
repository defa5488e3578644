"""One topic, many readers: how fast, how late, how dear. Rounds alternate between the servers."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks import stands
from benchmarks.floor import writes
from benchmarks.meters import Latency
from benchmarks.report import Outcome
from benchmarks.stands import Round, Stand

BURST_READERS, BURST_EVENTS, BURST_ROUNDS = 200, 500, 7
TEXTBOOK_EVENTS, TEXTBOOK_ROUNDS = 100, 2  # it takes four seconds for these
READERS = 500
PACED_RATE, HEAVY_RATE, PACED_SECONDS, PACED_ROUNDS = 200, 400, 5, 7
CALM_RATE, CALM_SECONDS, CALM_ROUNDS = 50, 4, 7
_BREATH_SECONDS = 0.5


async def burst() -> Outcome:
    """Events as fast as they go."""
    ours: list[Round] = []
    socketio: list[Round] = []
    textbook: list[Round] = []
    async with AsyncExitStack() as stack:
        signalbox_stand = await stack.enter_async_context(stands.signalbox(BURST_READERS))
        socketio_stand = await stack.enter_async_context(stands.socketio(BURST_READERS))
        textbook_stand = await stack.enter_async_context(stands.textbook(BURST_READERS))
        for stand in (signalbox_stand, socketio_stand):
            await stand.burst(BURST_EVENTS)  # both compile and allocate on the first
        for number in range(BURST_ROUNDS):
            for rounds, stand in ((socketio, socketio_stand), (ours, signalbox_stand)):
                await asyncio.sleep(_BREATH_SECONDS)
                rounds.append(await stand.burst(BURST_EVENTS))
            if number < TEXTBOOK_ROUNDS:
                textbook.append(await textbook_stand.burst(TEXTBOOK_EVENTS))

    named = {"signalbox": ours, "socketio": socketio, "textbook": textbook}
    rates = {name: median(one.rate for one in rounds) for name, rounds in named.items()}
    to_socketio = rates["signalbox"] / rates["socketio"]
    to_textbook = rates["signalbox"] / rates["textbook"]
    beside = f"Socket.IO {rates['socketio']:,.0f} (÷ {to_socketio:.1f})"
    return Outcome(
        name="fanout_burst",
        signalbox=f"{rates['signalbox']:,.0f} deliveries/s",
        peer=f"{beside}, textbook {rates['textbook']:,.0f} (÷ {to_textbook:.0f})",
        must="≥ 4 × Socket.IO, ≥ 40 × textbook",
        reached=to_socketio >= 4 and to_textbook >= 40,
        figures={
            "readers": BURST_READERS,
            "events": BURST_EVENTS,
            "times_socketio": round(to_socketio, 2),
            "times_textbook": round(to_textbook, 1),
            **{name: _figures(rounds) for name, rounds in named.items()},
        },
    )


async def paced() -> Outcome:
    """Two hundred events per second: nobody may fall behind."""
    return await _nobody_behind("fanout_paced", PACED_RATE)


async def heavy() -> Outcome:
    """The same at twice the rate, where a server that sends each event by itself has no core left."""
    return await _nobody_behind("fanout_heavy", HEAVY_RATE)


async def _nobody_behind(name: str, rate: int) -> Outcome:
    floor = writes(READERS)
    named = await _side_by_side(rate, PACED_SECONDS, PACED_ROUNDS)
    ours, socketio = named["signalbox"], named["socketio"]
    mine, theirs = _latency(ours), _latency(socketio)
    behind = max(one.behind for one in ours)
    return Outcome(
        name=name,
        signalbox=f"p50 {mine.p50} ms, p99 {mine.p99} ms, {behind} behind",
        peer=f"Socket.IO p50 {theirs.p50} ms, p99 {theirs.p99} ms, {max(one.behind for one in socketio)} behind;"
        f" {READERS} bare writes p99 {floor.p99} ms",
        must="0 behind, p99 ≤ ¼ of Socket.IO's",
        reached=behind == 0 and mine.p99 <= theirs.p99 / 4,
        figures={
            "readers": READERS,
            "events_per_second": rate,
            "behind": {name: [one.behind for one in rounds] for name, rounds in named.items()},
            "p99_ratio": round(mine.p99 / theirs.p99, 3),
            "writes_alone": asdict(floor),
            **{name: _figures(rounds) for name, rounds in named.items()},
        },
    )


async def calm() -> Outcome:
    """Fifty events per second: batching has nothing to win, so what does a delivery cost?"""
    named = await _side_by_side(CALM_RATE, CALM_SECONDS, CALM_ROUNDS)
    ours, socketio = named["signalbox"], named["socketio"]
    mine, theirs = _latency(ours), _latency(socketio)
    cost, their_cost = (median(one.cpu_per_delivery for one in rounds) for rounds in (ours, socketio))
    return Outcome(
        name="fanout_calm",
        signalbox=f"{cost:.1f} µs CPU per delivery, p50 {mine.p50} ms",
        peer=f"Socket.IO {their_cost:.1f} µs ({cost / their_cost:.2f} ×), p50 {theirs.p50} ms",
        must="CPU ≤ 1.3 ×, p50 within 2 ms",
        reached=cost <= 1.3 * their_cost and mine.p50 <= theirs.p50 + 2,
        figures={
            "readers": READERS,
            "events_per_second": CALM_RATE,
            "behind": {name: [one.behind for one in rounds] for name, rounds in named.items()},
            "cpu_ratio": round(cost / their_cost, 3),
            **{name: _figures(rounds) for name, rounds in named.items()},
        },
    )


async def _side_by_side(rate: int, seconds: float, rounds: int) -> dict[str, list[Round]]:
    """Rounds of Signalbox and of Socket.IO by turns."""
    ours: list[Round] = []
    socketio: list[Round] = []
    async with AsyncExitStack() as stack:
        signalbox_stand = await stack.enter_async_context(stands.signalbox(READERS))
        socketio_stand = await stack.enter_async_context(stands.socketio(READERS))
        pairs: Sequence[tuple[list[Round], Stand]] = ((socketio, socketio_stand), (ours, signalbox_stand))
        for _, stand in pairs:
            await stand.paced(rate, 1)
        for _ in range(rounds):
            for played, stand in pairs:
                await asyncio.sleep(_BREATH_SECONDS)
                played.append(await stand.paced(rate, seconds))
    return {"signalbox": ours, "socketio": socketio}


def _latency(rounds: Sequence[Round]) -> Latency:
    return Latency.median([one.latency for one in rounds])


def _figures(rounds: Sequence[Round]) -> dict[str, Any]:
    latency = _latency(rounds)
    return {
        "rounds": len(rounds),
        "deliveries_per_second": [round(one.rate) for one in rounds],
        "p50_ms": latency.p50,
        "p99_ms": latency.p99,
        "max_ms": latency.max,
        "cpu_us_per_delivery": round(median(one.cpu_per_delivery for one in rounds), 2),
        "server_cpu": round(median(one.server_cpu / one.seconds for one in rounds), 2),
        "generator_cpu": round(median(one.generator_cpu / one.seconds for one in rounds), 2),
    }
