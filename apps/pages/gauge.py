"""How busy the whole installation is: readings of some minutes, kept in each process and the same in all of them.

The sweeper takes one now and then; while somebody looks, they come more often.
"""

import time
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock

from django.db.models import Sum

from apps.events.models import Head
from apps.events.sweeper import sweeps
from apps.gateway.models import Connection

EVERY_SECONDS = 5
AT_MOST_EVERY_SECONDS = 1.5
KEPT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Reading:
    """At a unix time: how many events there have ever been, and how many sockets are open now."""

    at: float
    events: int
    connections: int


_readings: deque[Reading] = deque(maxlen=int(KEPT_SECONDS / AT_MOST_EVERY_SECONDS))
_reading = Lock()


@sweeps(seconds=EVERY_SECONDS)
def read() -> None:
    """Take a reading, unless there is a fresh one."""
    if not _reading.acquire(blocking=False):
        return  # somebody else does
    try:
        if not _readings or time.time() - _readings[-1].at >= AT_MOST_EVERY_SECONDS:
            events = Head.objects.aggregate(events=Sum("seq"))["events"] or 0
            _readings.append(Reading(time.time(), events, Connection.objects.count()))
    finally:
        _reading.release()


def readings(*, now: float | None = None) -> list[Reading]:
    """Those of the last minutes, oldest first."""
    since = (time.time() if now is None else now) - KEPT_SECONDS
    return [reading for reading in list(_readings) if reading.at >= since]


def rates(taken: list[Reading]) -> list[tuple[float, float]]:
    """Events per second between each reading and the next, as (unix time, rate)."""
    return [
        (round(later.at, 1), round(max(0, later.events - earlier.events) / (later.at - earlier.at), 2))
        for earlier, later in pairwise(taken)
        if later.at > earlier.at
    ]
