"""What has to be looked at again and again: leases that ended, commands that are overdue or wait."""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from apps.agents.models import Agent, Command
from apps.agents.services.commands import assign_waiting, lock_team, locked, move
from apps.agents.services.presence import end_lease, lease_seconds
from apps.events import wire
from apps.events.sweeper import sweeps

logger = logging.getLogger(__name__)

T = TypeVar("T")

OVERDUE_GRACE = timedelta(seconds=30)
STOOD_STILL = timedelta(seconds=5)
"""Whoever has not swept for longer was not there, or had no database: then there were no heartbeats either."""

_swept_at: datetime | None = None
"""When the last sweep of this process began that was committed. By the wall clock, since it goes on in a suspend."""
_fair_from = 0.0
"""On the monotonic clock; before, no agent is judged by its silence."""


@sweeps(seconds=1)
def sweep() -> None:
    """End leases, fail what is long overdue, give out what waits. Inside a transaction."""
    global _fair_from
    now = wire.now()
    if _swept_at is None or now - _swept_at > STOOD_STILL:
        # Nobody took heartbeats and reports: agents get a whole lease to come back and say what has become of things.
        _fair_from = time.monotonic() + lease_seconds()
    if time.monotonic() >= _fair_from:
        _end_leases(now)
        _fail_overdue(now)
    _assign()
    transaction.on_commit(partial(_note_swept, now))


def _note_swept(at: datetime) -> None:
    global _swept_at
    _swept_at = at


def _end_leases(now: datetime) -> None:
    ended = Agent.objects.exclude(status=Agent.Status.OFFLINE).filter(lease_until__lt=now)
    _each(ended.order_by("team_id", "pk"), partial(_end_lease, now=now))


def _end_lease(agent: Agent, now: datetime) -> None:
    lock_team(agent.team_id)
    agent.refresh_from_db()
    if agent.status != Agent.Status.OFFLINE and agent.lease_until and agent.lease_until < now:
        end_lease(agent, "The agent vanished.")


def _fail_overdue(now: datetime) -> None:
    """An agent ends a command at its timeout by itself; this is for one that does not."""
    present = Command.objects.select_related("agent").filter(agent__status=Agent.Status.ONLINE)
    running = present.filter(status=Command.Status.RUNNING, spec__timeout__isnull=False)
    overdue = (command for command in running.order_by("team_id", "pk") if _is_overdue(command, now))
    _each(overdue, partial(_fail, now=now))


def _is_overdue(command: Command, now: datetime) -> bool:
    overdue_at = command.overdue_at(OVERDUE_GRACE)
    return overdue_at is not None and overdue_at < now


def _fail(command: Command, now: datetime) -> None:
    lock_team(command.team_id)
    command = locked(command.pk)
    if command.status == Command.Status.RUNNING and _is_overdue(command, now):
        move(command, Command.Status.FAILED, error="Timed out, and its agent did not say so.")


def _assign() -> None:
    waiting = Command.objects.filter(status=Command.Status.QUEUED).order_by("team_id").values_list("team_id", flat=True)
    _each(waiting.distinct(), _assign_in)


def _assign_in(team_id: UUID) -> None:
    lock_team(team_id)
    assign_waiting(team_id)


def _each(items: Iterable[T], treat: Callable[[T], object]) -> None:
    """One after the other: what fails for one is undone and logged, and keeps nobody else waiting."""
    for item in items:
        try:
            with transaction.atomic():
                treat(item)
        except (OperationalError, InterfaceError):
            raise  # The database has no time for anybody.
        except Exception:
            logger.exception("The sweep failed for %r", item)
