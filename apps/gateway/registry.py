"""This process's sockets, and their rows, by which all processes together keep to the limits.

Rows are written in groups: after a restart a thousand sockets come at once, and a transaction each would take seconds.
"""

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import Count
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from apps.accounts.actors import Actor
from apps.accounts.refusals import Refusal, TooManyConnections, Unavailable
from apps.events.threads import in_writer_twice
from apps.gateway.background import spawn
from apps.gateway.models import Connection as Row
from apps.gateway.models import ServerProcess
from apps.gateway.outlets import Outlet

logger = logging.getLogger(__name__)

SEEN_EVERY_SECONDS = 3.0
DEAD_AFTER_SECONDS = 10.0
COME_BACK_SECONDS = 5.0
GONE_AT_ONCE = 5_000
"""A database takes so many parameters in one statement."""


class LiveSocket(Protocol):
    """A socket as limits, staff and the wheel know it."""

    actor: Actor
    warned: bool
    """Whether its client knows that its token ends soon."""

    @property
    def id(self) -> str: ...

    @property
    def outlet(self) -> Outlet: ...

    @property
    def address(self) -> str: ...

    @property
    def client(self) -> str: ...

    def answer(self, frame: bytes) -> None: ...

    def close(self, refusal: Refusal, code: int | None = None) -> None: ...

    def close_if_expired(self) -> bool: ...

    async def check_rights(self) -> None: ...


live: dict[str, LiveSocket] = {}
"""This process's authenticated sockets by their id."""

process_id = uuid.uuid4().hex


def _namespace() -> str:
    """Within which process numbers can be compared: one boot's, one container's. Empty where there is no such thing."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


namespace = _namespace()


@dataclass(slots=True)
class _Change:
    """One row to write (`row`) or to take away (`gone`)."""

    done: "asyncio.Future[None]"
    row: Row | None = None
    gone: str = ""


_changes: list[_Change] = []
_writing: "asyncio.Task[None] | None" = None
_has_cleared = False
_noted_at: float | None = None
"""When this process last gave a sign of life, by its own clock."""
_still_on_the_books: set[str] = set()
"""Sockets that went while the database could not be told. It is told with the next signs of life."""


async def enter(connection: LiveSocket) -> None:
    """Count this socket in. Raises TooManyConnections when its owner has as many as allowed already."""
    try:
        await _write(_Change(asyncio.get_running_loop().create_future(), row=_row_of(connection)))
    except asyncio.CancelledError:
        spawn(leave(connection), f"count out {connection.id}")  # Its row may be with the writer already.
        raise
    except Unavailable:
        _still_on_the_books.add(connection.id)  # It may have been written, and the answer was lost.
        raise
    live[connection.id] = connection


async def leave(connection: LiveSocket) -> None:
    """Count it out."""
    live.pop(connection.id, None)
    try:
        await _write(_Change(asyncio.get_running_loop().create_future(), gone=connection.id))
    except Refusal as refusal:
        logger.warning("Connection %s is counted out later: %s", connection.id, refusal)
        _still_on_the_books.add(connection.id)


async def _write(change: _Change) -> None:
    global _writing
    _changes.append(change)
    if _writing is None:
        _writing = asyncio.create_task(_write_changes(), name="registry")
    await change.done


async def _write_changes() -> None:
    global _writing
    try:
        while _changes:
            group = _changes[:]
            _changes.clear()
            try:
                refused = await in_writer_twice(_store, group)
            except Exception as problem:
                logger.warning("Connections could not be written down: %s", problem)
                refused = {id(change): Unavailable("Come back in a moment.", retry_after=1.0) for change in group}
            for change in group:
                if change.done.done():
                    continue
                if refusal := refused.get(id(change)):
                    change.done.set_exception(refusal)
                else:
                    change.done.set_result(None)
    finally:
        _writing = None


@transaction.atomic
def _store(group: Iterable[_Change]) -> dict[int, Refusal]:
    """Write a group of changes; what is refused, by the identity of its change."""
    global _has_cleared
    group = list(group)
    if _has_cleared:
        _note_process()
    else:
        note_alive()  # What an earlier process here held when it was killed is free at once.
        _has_cleared = True
    # If this is done for the second time, those that enter may have their rows already.
    Row.objects.filter(id__in=[change.row.id if change.row else change.gone for change in group]).delete()
    entering = [change for change in group if change.row is not None and not change.done.cancelled()]
    senders = sorted({change.row.sender for change in entering if change.row})
    if database.vendor == "postgresql":
        with database.cursor() as cursor:
            # Two processes may count the same user in at the same moment.
            for sender in senders:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"connections {sender}"])
    counts = dict(
        Row.objects.filter(sender__in=senders, process__seen_at__gt=_dead_before())
        .order_by()
        .values_list("sender")
        .annotate(count=Count("id"))
    )
    refused: dict[int, Refusal] = {}
    rows = []
    for change in entering:
        assert change.row is not None
        sender = change.row.sender
        limit = settings.LIMITS["connections_per_user" if change.row.user_id else "connections_per_key"]
        if counts.get(sender, 0) >= limit:
            refused[id(change)] = TooManyConnections(
                f"There are {limit} connections of yours already; close one.", retry_after=COME_BACK_SECONDS
            )
            continue
        counts[sender] = counts.get(sender, 0) + 1
        rows.append(change.row)
    Row.objects.bulk_create(rows)
    return refused


def _note_process() -> None:
    """This process lives. Who took it for dead forgot its connections too: they are written down again."""
    here = {"host": socket.gethostname(), "namespace": namespace, "pid": os.getpid()}
    _, is_new = ServerProcess.objects.update_or_create(
        id=process_id, create_defaults={**here, "seen_at": Now()}, defaults={"seen_at": Now()}
    )
    if is_new and live:
        rows = [_row_of(connection) for connection in list(live.values())]
        Row.objects.bulk_create(rows)
        transaction.on_commit(lambda: _still_on_the_books.update(row.id for row in rows if row.id not in live))


@transaction.atomic
def note_alive() -> None:
    """This process lives; those that do not, and their connections, are forgotten."""
    was_away = _noted_at is not None and time.time() - _noted_at > DEAD_AFTER_SECONDS
    _note_process()
    transaction.on_commit(_note_time)
    if gone := frozenset(islice(_still_on_the_books, GONE_AT_ONCE)):
        Row.objects.filter(id__in=gone).delete()
        transaction.on_commit(lambda: _still_on_the_books.difference_update(gone))
    if not was_away:  # Else the database was away, or the machine, and the others had no chance either.
        ServerProcess.objects.filter(seen_at__lt=_dead_before()).delete()
    here = ServerProcess.objects.filter(host=socket.gethostname(), namespace=namespace).exclude(id=process_id)
    ServerProcess.objects.filter(id__in=[other.id for other in here if not _runs(other.pid)]).delete()


def _note_time() -> None:
    global _noted_at
    _noted_at = time.time()


def _dead_before() -> Combinable:
    """By the database's clock: those of the hosts may differ."""
    return Now() - timedelta(seconds=DEAD_AFTER_SECONDS)


@transaction.atomic
def forget_process() -> None:
    """This process ends in order."""
    ServerProcess.objects.filter(id=process_id).delete()


def _row_of(connection: LiveSocket) -> Row:
    actor = connection.actor
    return Row(
        id=connection.id,
        process_id=process_id,
        sender=actor.sender,
        name=actor.name[:200],
        user=actor.user,
        address=connection.address,
        client=connection.client[:200],
    )


def _runs(pid: int) -> bool:
    if pid == os.getpid():
        return False  # An earlier process that had our number.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
