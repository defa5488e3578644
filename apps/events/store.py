"""The log's rows: numbering, inserting, reading. The same on SQLite and PostgreSQL, but for how rows get into a
statement and where a page ends."""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from django.db import connection
from django.db.models import F, Func, IntegerField, QuerySet, RowRange, Sum, Value, Window
from django.db.models.functions import Coalesce

from apps.events import wire
from apps.events.models import Head, StoredEvent

# A statement gets its rows as one JSON array of arrays, so that its text is always the same.
_ROWS = {
    "sqlite": ("json_extract(value, '$[{place}]') AS {name}", "json_each(%s)"),
    "postgresql": ("(value ->> {place})::{type} AS {name}", "json_array_elements(%s::json)"),
}


def _with_rows(statement: str, **columns: str) -> dict[str, str]:
    """A statement for each database, in which {rows} is a table of these columns, `name="type"`."""
    statements = {}
    for vendor, (column, source) in _ROWS.items():
        picked = (column.format(place=place, name=name, type=columns[name]) for place, name in enumerate(columns))
        statements[vendor] = statement.format(rows=f"(SELECT {', '.join(picked)} FROM {source}) AS given")
    return statements


_CLAIM = _with_rows(
    """
    INSERT INTO events_head (topic, epoch, seq, floor) SELECT topic, epoch, count, 0 FROM {rows} WHERE true
    ON CONFLICT (topic) DO UPDATE SET seq = events_head.seq + excluded.seq
    RETURNING topic, epoch, seq
    """,
    topic="text",
    epoch="text",
    count="bigint",
)
_FOUND = """
    INSERT INTO events_head (topic, epoch, seq, floor) VALUES (%s, %s, 0, 0) ON CONFLICT (topic) DO NOTHING
"""
_INSERT = _with_rows(
    """
    INSERT INTO events_storedevent (topic, seq, type, data, sender, ref, created_at) SELECT * FROM {rows}
    """,
    topic="text",
    seq="bigint",
    type="text",
    data="text",
    sender="text",
    ref="text",
    created_at="timestamptz",
)
# CROSS JOIN keeps the asked refs outside: otherwise SQLite might read the whole table.
_HAPPENED = _with_rows(
    """
    SELECT given.topic, given.sender, given.ref FROM {rows} CROSS JOIN events_storedevent AS e
    WHERE e.topic = given.topic AND e.sender = given.sender AND e.ref = given.ref
    """,
    topic="text",
    sender="text",
    ref="text",
)
ROWS = 100
"""In one statement. A large group's text, escaped twice, still fits into what PostgreSQL takes."""
PAGE_BYTES = 1024 * 1024
"""Of data that one read brings, and whatever the event that passes them has more."""
READ_AHEAD = 8
"""Rows that SQLite hands over at a time."""

R = TypeVar("R")
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
    rows = [(name, secrets.token_hex(4), counts[name]) for name in sorted(counts)]
    return {topic: (epoch, last) for topic, epoch, last in _execute(_CLAIM, rows)}


def insert(events: Sequence[StoredEvent]) -> None:
    """Write numbered events in one go."""
    at = {time: str(connection.ops.adapt_datetimefield_value(time)) for time in {e.created_at for e in events}}
    _execute(_INSERT, [(e.topic, e.seq, e.type, e.data, e.sender, e.ref, at[e.created_at]) for e in events])


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
    """Events above `seq`, none above `until`, oldest first: at most `limit`, and about PAGE_BYTES."""
    events = StoredEvent.objects.filter(topic=topic, seq__gt=seq, seq__lte=min(until, seq + limit))
    return _as_many_as_fit(events, "seq", attrgetter("data"))


def before(topic: str, seq: int, limit: int) -> list[StoredEvent]:
    """Events just below `seq`, no further above the head than one, oldest first: as many as from `after`."""
    events = StoredEvent.objects.filter(topic=topic, seq__lt=seq, seq__gte=seq - limit)
    return _as_many_as_fit(events, "-seq", attrgetter("data"))[::-1]


def stretch(topic: str, seq: int, until: int, types: Collection[str] = ()) -> tuple[list[tuple[int, str, str]], int]:
    """Of the events above `seq`, none above `until`, those of these types if any are named: (seq, type, data).

    About PAGE_BYTES of them, oldest first; and the seq up to which these are all.
    """
    events = StoredEvent.objects.filter(topic=topic, seq__gt=seq, seq__lte=until)
    if types:
        events = events.filter(type__in=types)
    some = _as_many_as_fit(events.values_list("seq", "type", "data"), "seq", itemgetter(2))
    is_cut = sum(_bytes(data) for _, _, data in some) >= PAGE_BYTES
    return some, some[-1][0] if is_cut else until


def of(topic: str, seqs: Collection[int]) -> list[StoredEvent]:
    """The events with these seqs, oldest first."""
    return list(StoredEvent.objects.filter(topic=topic, seq__in=seqs).order_by("seq"))


def known(refs: Sequence[Ref]) -> dict[Ref, StoredEvent]:
    """Of these refs, those that have happened already; hardly ever any."""
    happened = _execute(_HAPPENED, refs)
    return {ref: StoredEvent.objects.get(topic=ref[0], sender=ref[1], ref=ref[2]) for ref in happened}


def start_epoch(topics: Iterable[str] | None = None) -> int:
    """Give topics (all, if none are named) a new epoch, so that every reader starts afresh. How many."""
    heads = Head.objects.all() if topics is None else Head.objects.filter(topic__in=list(topics))
    return sum(Head.objects.filter(pk=head.pk).update(epoch=secrets.token_hex(4)) for head in heads)


def _as_many_as_fit(rows: "QuerySet[StoredEvent, R]", order: str, data_of: Callable[[R], str]) -> list[R]:
    """The first of these rows, until they have PAGE_BYTES of data; at least one. No more is read."""
    rows = rows.order_by(order)
    if connection.vendor == "postgresql":
        # It sends all that it is asked for, so the cut is part of the question.
        sizes = Sum(Func(F("data"), function="OCTET_LENGTH", output_field=IntegerField()))
        before = Coalesce(Window(sizes, order_by=order, frame=RowRange(end=-1)), Value(0))
        return list(rows.alias(size_before=before).filter(size_before__lt=PAGE_BYTES))
    fitting: list[R] = []
    size = 0
    for row in rows.iterator(chunk_size=READ_AHEAD):
        fitting.append(row)
        size += _bytes(data_of(row))
        if size >= PAGE_BYTES:
            break
    return fitting


def _bytes(data: str) -> int:
    return len(data.encode())


def _execute(statements: Mapping[str, str], rows: Sequence[tuple[object, ...]]) -> list[Any]:
    """What a statement that is `_with_rows` returns for all of them."""
    returned: list[Any] = []
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS):
            cursor.execute(statements[connection.vendor], [wire.dumps(rows[start : start + ROWS]).decode()])
            if cursor.description:
                returned += cursor.fetchall()
    return returned
