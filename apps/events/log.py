"""The log: the only way to tell anyone that something happened.

The log is the truth and the channel layer a hint. `append` numbers an event and stores it in the transaction of the
rows it speaks of; once that commits, a hint with the encoded event goes to those that follow the topic. A hint can get
lost: every reader has a cursor, and what it lacks is in the database.

This is the only module that speaks to the channel layer.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection, transaction

from apps.events import store, wire
from apps.events.declare import Event, Topic, Whisper
from apps.events.hints import EVERYONE, NOTHING, Hint, Outgoing, reason
from apps.events.models import StoredEvent
from apps.events.search import Filter, Place, find
from apps.events.store import Position

logger = logging.getLogger(__name__)

PAGE = 500
HINT_BYTES = 256 * 1024
SEND_SECONDS = 2.0
"""How long the channel layer may take for a hint."""

TOPICS_COUNTED = 10_000
OTHERS = ""

reads: Counter[str] = Counter()
"""How often events were read from the database, by topic; OTHERS are those that came after TOPICS_COUNTED."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a reader gets for a cursor. After a `reset` it has no events: the reader starts afresh from `head`."""

    topic: str
    epoch: str
    head: int
    floor: int
    events: Sequence[StoredEvent] = ()
    reset: bool = False
    scanned_to: int | None = None
    """Of a filtered page: everything up to here was looked at."""
    places: Sequence[Place] | None = None
    """In place of events: where what was asked for lies."""


@dataclass(slots=True)
class Draft:
    """An event that is not numbered yet."""

    topic: Topic
    event: Event
    sender: str
    ref: str | None = None


def append(topic: Topic, *events: Event) -> StoredEvent:
    """Store `events` on `topic` in this transaction, and tell its readers when it commits. Returns the last one."""
    if not events:
        raise ValueError(f"append to {topic}: which events?")
    said_by = _said_by.get() or SaidBy()
    drafts = [Draft(topic, event, said_by.sender) for event in events]
    drafts[-1].ref = said_by.take_ref(str(topic))
    return append_all(drafts)[-1]


def append_all(drafts: Sequence[Draft]) -> list[StoredEvent]:
    """Store drafts in one go, in their own order on each topic. Topics are claimed in sorted order: no deadlocks."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Events are appended inside transaction.atomic().")
    at = wire.now()
    by_topic: dict[str, list[StoredEvent]] = {}
    stored: list[StoredEvent] = []
    for draft in drafts:
        if type(draft.topic) is not draft.event.TOPIC:
            raise TypeError(f"{type(draft.event).__name__} does not belong on {draft.topic}")
        event = StoredEvent(
            topic=str(draft.topic),
            type=draft.event.TYPE,
            data=wire.data_of(draft.event).decode(),
            sender=draft.sender,
            ref=draft.ref,
            created_at=at,
        )
        by_topic.setdefault(event.topic, []).append(event)
        stored.append(event)
    claimed = store.claim({name: len(group) for name, group in by_topic.items()})
    for name, group in by_topic.items():
        epoch, last = claimed[name]
        for event, seq in zip(group, range(last - len(group) + 1, last + 1), strict=True):
            event.seq = seq
        transaction.on_commit(partial(_hint_stored, name, epoch, group))
    store.insert(stored)
    return stored


def whisper(topic: Topic, said: Whisper) -> None:
    """Say something to whoever listens now. It is not stored, and nobody misses it."""
    frame = wire.whisper(said.TYPE, str(topic), wire.now(), wire.data_of(said))
    _say(str(topic), {"type": "log.whisper", "topic": str(topic), "frame": frame})


def notify(notice: dict[str, Any], topic: str | None = None) -> None:
    """Tell every process something (that somebody's access has ended, say), or only those that follow `topic`.

    What all have to hear waits for a channel layer that is away; what concerns a topic is not said then.
    """
    _say(topic, {"type": "log.notice", "notice": notice})


def cursor(topic: Topic) -> Position:
    """Where `topic` stands. A page reads this first and its state second."""
    return store.position(str(topic))


def read_after(topic: str, after: int, epoch: str | None = None, limit: int = PAGE) -> Page:
    """What happened after a cursor, or its beginning; a `reset` if the log no longer knows that cursor."""
    at = store.position(topic)
    if lost(at, after, epoch):
        return Page(topic, at.epoch, at.seq, at.floor, reset=True)
    if after == at.seq:
        return Page(topic, at.epoch, at.seq, at.floor)
    _count_read(topic)
    events = store.after(topic, after, limit, at.seq)
    if not events or events[0].seq != after + 1:
        # Pruned between the two reads.
        at = store.position(topic)
        return Page(topic, at.epoch, at.seq, at.floor, reset=True)
    return Page(topic, at.epoch, at.seq, at.floor, events)


def read_before(topic: str, before: int, limit: int = PAGE) -> Page:
    """The events just below seq `before`, oldest first."""
    at = store.position(topic)
    _count_read(topic)
    return Page(topic, at.epoch, at.seq, at.floor, store.before(topic, min(before, at.seq + 1), limit))


def read_filtered(
    topic: str, after: int, epoch: str | None, wanted: Filter, limit: int = PAGE, only_places: bool = False
) -> Page:
    """Of what happened after a cursor, what `wanted` asks for: as far as was looked through, `scanned_to`.

    It takes a bounded time, whatever the log's length. A `reset` as from `read_after`.
    """
    before = at = store.position(topic)
    if lost(at, after, epoch):
        return Page(topic, at.epoch, at.seq, at.floor, reset=True)
    _count_read(topic)
    found = find(topic, after, at.seq, wanted, None if only_places else limit)
    events = [] if only_places else store.of(topic, found.seqs)
    at = store.position(topic)
    if lost(at, after, before.epoch):
        # Pruned meanwhile, or what was found is of a life that is over.
        return Page(topic, at.epoch, at.seq, at.floor, reset=True)
    places = found.places if only_places else None
    return Page(topic, at.epoch, at.seq, at.floor, events, scanned_to=found.scanned_to, places=places)


def _count_read(topic: str) -> None:
    reads[topic if topic in reads or len(reads) < TOPICS_COUNTED else OTHERS] += 1


def encoded(read: Callable[..., Page], *args: Any) -> tuple[Page, list[bytes]]:
    """A page as `read(*args)` gives it and its events as every door sends them, for the thread that reads."""
    page = read(*args)
    return page, [event.encoded for event in page.events]


def lost(at: Position, after: int, epoch: str | None) -> bool:
    """Whether a cursor is of another life of the topic, ahead of it, or below what is kept."""
    return (bool(epoch) and epoch != at.epoch) or after > at.seq or after < at.floor


# Who says it --------------------------------------------------------------------------------------


@dataclass(slots=True)
class SaidBy:
    """Whose frame is being carried out: the first event on the frame's topic takes its name as `ref`."""

    sender: str = "system"
    ref: str | None = None
    topic: str | None = None
    _free: bool = field(default=True, repr=False)

    def take_ref(self, topic: str) -> str | None:
        if not self._free or topic != self.topic:
            return None
        self._free = False
        return self.ref


_said_by: ContextVar[SaidBy | None] = ContextVar("said_by", default=None)


@contextmanager
def said_by(sender: str, ref: str | None, topic: str | None) -> Iterator[None]:
    """Sign what is appended inside with the sender and name of a frame."""
    token = _said_by.set(SaidBy(sender, ref, topic))
    try:
        yield
    finally:
        _said_by.reset(token)


# Hints: the channel layer ---------------------------------------------------------------------------


class Ear(Outgoing):
    """What one process hears: joins the groups of topics, and yields the hints that arrive.

    From its start on, hints of this process leave through it, whether the layer can be reached yet or not.
    """

    def __init__(self) -> None:
        super().__init__()
        self._layer = get_channel_layer()
        self.is_open = False

    def start(self) -> None:
        super().start()
        _ears.append(self)

    async def open(self) -> None:
        """Begin to hear. Raises whatever keeps the layer from being reached."""
        await self.send(EVERYONE, NOTHING)  # first: channels_redis keeps the queue of a channel that it failed to make
        self._channel = await self._layer.new_channel("signalbox")
        await self._layer.group_add(EVERYONE, self._channel)
        self.is_open = True

    def close(self) -> None:
        if self in _ears:
            _ears.remove(self)
            self.stop()

    async def join(self, topic: str) -> None:
        await self._layer.group_add(_group(topic), self._channel)

    async def leave(self, topic: str) -> None:
        await self._layer.group_discard(_group(topic), self._channel)

    async def hear(self) -> Hint:
        """The next hint: `log.stored` {topic, epoch, first, last, frames}, `log.whisper` {topic, frame} or
        `log.notice` {notice}."""
        hint: Hint = await self._layer.receive(self._channel)
        return hint

    async def send(self, group: str, hint: Hint) -> None:
        await _send(self._layer, group, hint)


def hints_arrive() -> bool:
    """Whether this process hears, and the channel layer took what it said last."""
    return all(ear.is_open and not ear.is_failing for ear in _ears)


_ears: list[Ear] = []


def _say(topic: str | None, hint: Hint) -> None:
    """Tell those that follow `topic`, or everyone. Only a process without an ear waits for that, for SEND_SECONDS."""
    group = EVERYONE if topic is None else _group(topic)
    if _ears:
        _ears[0].say(group, hint)
        return
    try:
        async_to_sync(_send)(get_channel_layer(), group, hint)
    except Exception as problem:
        logger.warning("The channel layer took no hint: %s", reason(problem))


async def _send(layer: Any, group: str, hint: Hint) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await layer.group_send(group, hint)


def _group(topic: str) -> str:
    return f"topic.{topic}"


def _hint_stored(topic: str, epoch: str, events: Sequence[StoredEvent]) -> None:
    frames = [event.encoded for event in events]
    if sum(map(len, frames)) > HINT_BYTES:
        frames = []  # Too much for a hint: readers fetch it.
    first, last = events[0].seq, events[-1].seq
    hint = {"type": "log.stored", "topic": topic, "epoch": epoch, "first": first, "last": last, "frames": frames}
    _say(topic, hint)
