"""The log's rows: numbering, inserting, reading. The same SQL on SQLite and PostgreSQL."""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection

from apps.events.models import Head, StoredEvent

_CLAIM = """
    INSERT INTO events_head (topic, epoch, seq, floor) VALUES {}
    ON CONFLICT (topic) DO UPDATE SET seq = events_head.seq + excluded.seq
    RETURNING topic, epoch, seq
"""
_FOUND = """
    INSERT INTO events_head (topic, epoch, seq, floor) VALUES (%s, %s, 0, 0) ON CONFLICT (topic) DO NOTHING
"""
_INSERT = """
    INSERT INTO events_storedevent (topic, seq, type, data, sender, ref, created_at) VALUES {}
"""
# CROSS JOIN keeps the asked refs outside: with IN (VALUES ...) SQLite would read the whole table.
_HAPPENED = """
    WITH asked (topic, sender, ref) AS (VALUES {})
    SELECT asked.topic, asked.sender, asked.ref FROM asked CROSS JOIN events_storedevent AS e
    WHERE e.topic = asked.topic AND e.sender = asked.sender AND e.ref = asked.ref
"""
ROWS = 200
"""In one statement."""

T = TypeVar("T")
Ref = tuple[str, str, str]
"""(topic, sender, ref): the name under which a frame is known."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a topic stands. A topic on which nothing happened yet has no epoch."""

    topic: str
    epoch: str = ""
    seq: int = 0
    floor: int = 0


def claim(counts: Mapping[str, int]) -> dict[str, tuple[str, int]]:
    """Take the next seqs of some topics, `{topic: how many}`: `{topic: (epoch, the last one)}`.

    The heads' rows stay locked until the transaction ends, so seq follows commit order: no holes, no late inserts.
    They are locked in sorted order, so that nobody deadlocks.
    """
    claimed: dict[str, tuple[str, int]] = {}
    with connection.cursor() as cursor:
        for names in _batched(sorted(counts)):
            values = [value for name in names for value in (name, secrets.token_hex(4), counts[name])]
            cursor.execute(_CLAIM.format(_rows("(%s, %s, %s, 0)", names)), values)
            claimed |= {topic: (epoch, last) for topic, epoch, last in cursor.fetchall()}
    return claimed


def insert(events: Sequence[StoredEvent]) -> None:
    """Write numbered events in one go."""
    at = {e.created_at: connection.ops.adapt_datetimefield_value(e.created_at) for e in events}
    with connection.cursor() as cursor:
        for some in _batched(events):
            rows = [(e.topic, e.seq, e.type, e.data, e.sender, e.ref, at[e.created_at]) for e in some]
            values = [value for row in rows for value in row]
            cursor.execute(_INSERT.format(_rows("(%s, %s, %s, %s, %s, %s, %s)", some)), values)


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


def stretch(topic: str, seq: int, until: int, types: Collection[str] = ()) -> Iterator[tuple[int, str, str]]:
    """Events above `seq`, none above `until`, of these types if any are named: (seq, type, data), oldest first."""
    events = StoredEvent.objects.filter(topic=topic, seq__gt=seq, seq__lte=until)
    if types:
        events = events.filter(type__in=types)
    return iter(events.order_by("seq").values_list("seq", "type", "data"))


def of(topic: str, seqs: Collection[int]) -> list[StoredEvent]:
    """The events with these seqs, oldest first."""
    return list(StoredEvent.objects.filter(topic=topic, seq__in=seqs).order_by("seq"))


def known(refs: Sequence[Ref]) -> dict[Ref, StoredEvent]:
    """Of these refs, those that have happened already; hardly ever any."""
    happened: list[Ref] = []
    with connection.cursor() as cursor:
        for some in _batched(refs):
            cursor.execute(_HAPPENED.format(_rows("(%s, %s, %s)", some)), [part for ref in some for part in ref])
            happened += cursor.fetchall()
    return {ref: StoredEvent.objects.get(topic=ref[0], sender=ref[1], ref=ref[2]) for ref in happened}


def start_epoch(topics: Iterable[str] | None = None) -> int:
    """Give topics (all, if none are named) a new epoch, so that every reader starts afresh. How many."""
    heads = Head.objects.all() if topics is None else Head.objects.filter(topic__in=list(topics))
    return sum(Head.objects.filter(pk=head.pk).update(epoch=secrets.token_hex(4)) for head in heads)


def _batched(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The same rows, as many at a time as one statement takes."""
    return (rows[start : start + ROWS] for start in range(0, len(rows), ROWS))


def _rows(places: str, rows: Sequence[object]) -> str:
    return ", ".join([places] * len(rows))
