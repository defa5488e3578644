"""The log's rows: numbering, inserting, reading. The same SQL on SQLite and PostgreSQL."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from apps.events.models import Head, StoredEvent

_CLAIM = """
    INSERT INTO events_head (topic, epoch, seq, floor) VALUES (%s, %s, %s, 0)
    ON CONFLICT (topic) DO UPDATE SET seq = events_head.seq + excluded.seq
    RETURNING epoch, seq
"""
_FOUND = """
    INSERT INTO events_head (topic, epoch, seq, floor) VALUES (%s, %s, 0, 0) ON CONFLICT (topic) DO NOTHING
"""
_INSERT = """
    INSERT INTO events_storedevent (topic, seq, type, data, sender, ref, created_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""

Ref = tuple[str, str, str]
"""(topic, sender, ref): the name under which a frame is known."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a topic stands. A topic on which nothing happened yet has no epoch."""

    topic: str
    epoch: str = ""
    seq: int = 0
    floor: int = 0


def claim(topic: str, count: int) -> tuple[str, int]:
    """Take the next `count` seqs of a topic: (epoch, the last one).

    The head's row stays locked until the transaction ends, so seq follows commit order: no holes, no late inserts.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [topic, secrets.token_hex(4), count])
        epoch, last = cursor.fetchone()
    return epoch, last


def insert(events: Sequence[StoredEvent]) -> None:
    """Write numbered events in one go."""
    at = {e.created_at: connection.ops.adapt_datetimefield_value(e.created_at) for e in events}
    rows = [(e.topic, e.seq, e.type, e.data, e.sender, e.ref, at[e.created_at]) for e in events]
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, rows)


def position(topic: str) -> Position:
    return positions([topic]).get(topic, Position(topic))


def found(topic: str) -> Position:
    """The same for somebody who follows it: a topic without events gets its epoch now, so that its readers know it."""
    at = position(topic)
    if not at.epoch:
        with connection.cursor() as cursor:
            cursor.execute(_FOUND, [topic, secrets.token_hex(4)])
        at = position(topic)
    return at


def positions(topics: Iterable[str]) -> Mapping[str, Position]:
    """Where each of these topics stands; one that has no events yet is missing."""
    rows = Head.objects.filter(topic__in=list(topics)).values_list("topic", "epoch", "seq", "floor")
    return {row[0]: Position(*row) for row in rows}


def after(topic: str, seq: int, limit: int, until: int) -> list[StoredEvent]:
    """At most `limit` events above `seq`, none above `until`, oldest first."""
    return list(StoredEvent.objects.filter(topic=topic, seq__gt=seq, seq__lte=until).order_by("seq")[:limit])


def before(topic: str, seq: int, limit: int) -> list[StoredEvent]:
    """The `limit` events just below `seq`, oldest first."""
    newest_first = StoredEvent.objects.filter(topic=topic, seq__lt=seq).order_by("-seq")[:limit]
    return list(newest_first)[::-1]


def known(refs: Sequence[Ref]) -> dict[Ref, StoredEvent]:
    """Of these refs, those that have happened already."""
    found: dict[Ref, StoredEvent] = {}
    by_origin: dict[tuple[str, str], list[str]] = {}
    for topic, sender, ref in refs:
        by_origin.setdefault((topic, sender), []).append(ref)
    for (topic, sender), names in by_origin.items():
        for stored in StoredEvent.objects.filter(topic=topic, sender=sender, ref__in=names):
            found[topic, sender, str(stored.ref)] = stored
    return found


def start_epoch(topics: Iterable[str] | None = None) -> int:
    """Give topics (all, if none are named) a new epoch, so that every reader starts afresh. How many."""
    heads = Head.objects.all() if topics is None else Head.objects.filter(topic__in=list(topics))
    return sum(Head.objects.filter(pk=head.pk).update(epoch=secrets.token_hex(4)) for head in heads)
