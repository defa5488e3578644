"""One timer for all sockets of a process: dead ones, tokens that end, rights that were taken away.

A timer per connection would cost memory for each idle one.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from itertools import count
from typing import Any, cast

from django.conf import settings

from apps.accounts.refusals import Silent
from apps.accounts.revocations import Revocation, on_revoked
from apps.events import dispatch, log, wire
from apps.events.sweeper import sweep_forever
from apps.events.threads import in_writer
from apps.gateway import hub, registry
from apps.gateway.background import spawn
from apps.gateway.registry import LiveSocket

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0
RIGHTS_EVERY_SECONDS = 60.0
WARN_SECONDS = 60.0
"""How long before a token's end its client is told; in the middle of its life, where that is later."""
SILENT_HEARTBEATS = 2.4

_turning: "list[asyncio.Task[None]]" = []


def start() -> None:
    """Turn from now on, if it does not yet; and sweep, where this process is the one that does."""
    if _turning and not _turning[0].get_loop().is_closed():
        return
    _turning[:] = [
        asyncio.create_task(_turn(), name="wheel"),
        asyncio.create_task(_look_around(), name="look at rights"),
    ]
    if settings.SWEEP_HERE:
        _turning.append(asyncio.create_task(sweep_forever(), name="sweeper"))


async def watch(connection: LiveSocket) -> None:
    """Watch over a socket that is live from now on. What was told of its rights while it came in did not reach it."""
    start()
    if unknown := await _check_rights([connection]):
        spawn(_check_until_known(unknown), f"check {connection.id}")


async def stop() -> None:
    """Stop, and take this process and its sockets off the books."""
    if _turning:
        for task in _turning:
            task.cancel()
        await asyncio.gather(*_turning, return_exceptions=True)
        await in_writer(registry.forget_process)
    _turning.clear()


async def _turn() -> None:
    tick = 0
    while True:
        try:
            await _tick(tick)
        except Exception:
            logger.exception("The wheel failed at tick %d", tick)
        tick += 1
        await asyncio.sleep(TICK_SECONDS)


async def _tick(tick: int) -> None:
    now = time.monotonic()
    for connection in list(registry.live.values()):
        _check_token(connection)
        _check_silence(connection, now)
    if tick % int(registry.SEEN_EVERY_SECONDS / TICK_SECONDS) == 0:
        await in_writer(registry.note_alive)


def _check_token(connection: LiveSocket) -> None:
    ends_at = connection.actor.expires_at
    if ends_at is None or connection.close_if_expired():
        return
    left = ends_at - time.time()
    if left <= WARN_SECONDS and not connection.warned and left <= _half_a_life():
        connection.warned = True
        connection.answer(wire.frame("token_expiring", data={"seconds": max(0, int(left))}))


def _half_a_life() -> float:
    """Seconds. A token that is announced as soon as it is fresh would be renewed every second."""
    return cast(timedelta, settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]).total_seconds() / 2


def _check_silence(connection: LiveSocket, now: float) -> None:
    """Ask a silent client's library for a pong, and drop it when that does not come either."""
    alive_at = connection.outlet.sign_of_life(now)
    silent = now - alive_at
    heartbeat = settings.HEARTBEAT_SECONDS
    if alive_at and silent > heartbeat:
        if silent > heartbeat * SILENT_HEARTBEATS:
            connection.close(Silent())
        else:
            connection.outlet.ping()


async def _look_around() -> None:
    """Each socket has its turn once in RIGHTS_EVERY_SECONDS, and they are spread evenly over them.

    What a few of them ask in one go holds up, in this process, every event of that moment.
    """
    loop = asyncio.get_running_loop()
    turns = int(RIGHTS_EVERY_SECONDS / TICK_SECONDS)
    for turn in count():
        began = loop.time()
        mine = [c for c in registry.live.values() if int(c.id[:8], 16) % turns == turn % turns]
        for number, connection in enumerate(mine):
            await asyncio.sleep(began + TICK_SECONDS * number / len(mine) - loop.time())
            await _check_rights([connection])
        await asyncio.sleep(began + TICK_SECONDS - loop.time())


async def _check_rights(connections: Iterable[LiveSocket]) -> list[LiveSocket]:
    """Those of which it could not be found out, since the database gave no answer, say."""
    unknown = []
    for connection in connections:
        try:
            await connection.check_rights()
        except Exception as problem:
            logger.warning("The rights of %s could not be checked: %s", connection.id, problem)
            unknown.append(connection)
    return unknown


async def _check_until_known(connections: list[LiveSocket]) -> None:
    """Whose access may have ended is looked at until it is known whether it has."""
    while unknown := await _check_rights(connections):
        await asyncio.sleep(TICK_SECONDS)
        connections = [connection for connection in unknown if connection.id in registry.live]


@on_revoked
def tell_all_processes(revocation: Revocation) -> None:
    """Somebody's access may have ended: this process looks at its sockets, whatever becomes of the word to others."""
    if running := hub.running():
        running.call_soon(_look_at_sockets, revocation)
    told = asdict(revocation)
    told["team_id"] = str(revocation.team_id) if revocation.team_id else None
    log.notify({"revoked": told, "process": registry.process_id})


@hub.on_notice
def hear(notice: dict[str, Any]) -> None:
    """Another process says whose access may have ended."""
    if "revoked" in notice and notice.get("process") != registry.process_id:
        _look_at_sockets(Revocation(**notice["revoked"]))


def _look_at_sockets(revocation: Revocation) -> None:
    dispatch.forget_roles()
    concerned = [c for c in registry.live.values() if revocation.concerns(c.actor)]
    if concerned:
        spawn(_check_until_known(concerned), "check revoked")
