"""The tail of one topic: its newest events, encoded once, and the readers that are level with it.

A reader that is level costs nothing but one write per flush: everything since the last flush leaves as one frame, the
same bytes for all. A reader that cannot take it now falls behind with a cursor of its own and catches up by itself, so
it never delays the others and has no queue.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import islice
from typing import Protocol

from apps.events import wire
from apps.events.store import Position
from apps.gateway.frames import Frame
from apps.gateway.metrics import delivered

RING_EVENTS = 2_000
RING_BYTES = 4 * 1024 * 1024
FRAME_BYTES = 256 * 1024
FRAMES_KEPT = 16

PAUSE = 0.5
"""How long a topic pauses after a flush, in times what the flush took: that adapts to the number of readers.

What comes meanwhile leaves with the next flush, so a busy topic's frames get larger instead of more.
"""
PAUSE_AT_MOST = 0.05


class Follower(Protocol):
    """Somebody who is level with a tail and gets its frames as they leave."""

    def take(self, frame: Frame) -> bool:
        """Write a frame; False if there is no room for it."""

    def take_whisper(self, frame: Frame) -> None: ...

    def fall_behind(self, cursor: int) -> None:
        """What follows `cursor` is not coming by itself any more."""

    def start_over(self) -> None:
        """The topic's history was replaced."""


class Tail:
    """Where one topic stands in this process: `head`, the newest seq known without a hole, and `sent`, the flushed."""

    def __init__(self, at: Position) -> None:
        self.topic = at.topic
        self.level: set[Follower] = set()
        self._loop = asyncio.get_running_loop()
        self._waiters: set[asyncio.Future[bool]] = set()
        self._flush_at_earliest = 0.0
        self._flush_handle: asyncio.Handle | None = None
        self.life = 0
        """Counts how often the topic's history was replaced; a reader of an older life starts over."""
        self.start_over(at)

    def start_over(self, at: Position) -> None:
        """Forget what was known: the topic stands at `at`."""
        self.life += 1
        self.epoch = at.epoch
        self.floor = at.floor
        self.head = self.sent = at.seq
        self.early: list[tuple[int, Sequence[bytes]]] = []
        """A heap of events that came before those they follow, with the seq of the first."""
        self._ring: deque[bytes] = deque()
        self._ring_bytes = 0
        self._frames: dict[int, Frame] = {}
        self._wake_waiters()

    @property
    def position(self) -> Position:
        """Where readers that are level stand."""
        return Position(self.topic, self.epoch, self.sent, self.floor)

    @property
    def oldest(self) -> int:
        """The lowest seq in the ring; `head + 1` when it is empty."""
        return self.head - len(self._ring) + 1

    # What comes in

    def add(self, first: int, events: Sequence[bytes]) -> bool:
        """Take events, the first of which has seq `first`. False if something before them is missing; they are kept."""
        if first > self.head + 1:
            heappush(self.early, (first, events))
            return False
        self._extend(events[self.head + 1 - first :] if first <= self.head else events)
        while self.early and self.early[0][0] <= self.head + 1:
            following, events = heappop(self.early)
            self._extend(events[self.head + 1 - following :])
        self._schedule_flush()
        return not self.early

    def put_before(self, events: Sequence[bytes], first: int) -> None:
        """Fill the ring backwards with events read from the database, as far as it has room."""
        fitting = events[: max(0, self.oldest - first)]
        if first + len(fitting) != self.oldest:
            return
        for event in reversed(fitting):
            if len(self._ring) >= RING_EVENTS or self._ring_bytes + len(event) > RING_BYTES:
                return
            self._ring.appendleft(event)
            self._ring_bytes += len(event)

    def _extend(self, events: Sequence[bytes]) -> None:
        ring = self._ring
        for event in events:
            ring.append(event)
            self._ring_bytes += len(event)
        self.head += len(events)
        while len(ring) > RING_EVENTS or (self._ring_bytes > RING_BYTES and len(ring) > 1):
            self._ring_bytes -= len(ring.popleft())

    # What goes out

    def _schedule_flush(self) -> None:
        """At once after a quiet moment; under load when the interval is over."""
        if self._flush_handle is None and self.sent < self.head:
            wait = self._flush_at_earliest - self._loop.time()
            self._flush_handle = (
                self._loop.call_soon(self.flush) if wait <= 0 else self._loop.call_later(wait, self.flush)
            )

    def flush(self) -> None:
        """Send what is new to every reader that is level, as one frame."""
        self._flush_handle = None
        # CPU time, not wall time: that another process had the core is no reason to wait even longer.
        started = time.thread_time()
        while self.sent < self.head:
            before = self.sent
            if before + 1 < self.oldest:
                self._leave_behind(before)
                break
            frame = self.frame_after(before, until=self.head)
            self.sent = frame.last
            delivered.frames += len(self.level)
            delivered.events += len(self.level) * (frame.last - before)
            fallen = [reader for reader in self.level if not reader.take(frame)]
            for reader in fallen:
                self.level.discard(reader)
                reader.fall_behind(before)
        self._wake_waiters()
        pause = PAUSE * (time.thread_time() - started)
        self._flush_at_earliest = self._loop.time() + min(pause, PAUSE_AT_MOST)

    def _leave_behind(self, before: int) -> None:
        """More came between two flushes than the ring holds: every reader goes on from the database."""
        self.sent = self.head
        for reader in self.level:
            reader.fall_behind(before)
        self.level.clear()

    def whisper(self, frame: Frame) -> None:
        for reader in self.level:
            reader.take_whisper(frame)

    def frame_after(self, cursor: int, until: int) -> Frame:
        """The ring's events after `cursor`, up to `until` or FRAME_BYTES, as one frame for all readers at `cursor`."""
        frame = self._frames.get(cursor)
        if frame is None:
            frame = self._frames[cursor] = frame_of(self.events_after(cursor, until - cursor), cursor)
            if len(self._frames) > FRAMES_KEPT:
                del self._frames[next(iter(self._frames))]
        return frame

    def events_after(self, cursor: int, limit: int) -> list[bytes]:
        """At most `limit` of the ring's events after `cursor`. Raises LookupError below the ring's oldest."""
        if not self.has(cursor):
            raise LookupError(f"{self.topic} #{cursor + 1} is not in the ring")
        newer = self.head - cursor
        if newer <= limit:
            return list(islice(reversed(self._ring), newer))[::-1]
        return list(islice(self._ring, cursor + 1 - self.oldest, cursor + 1 - self.oldest + limit))

    def has(self, cursor: int) -> bool:
        """Whether a reader at `cursor` can go on from memory."""
        return cursor + 1 >= self.oldest

    async def moved_past(self, cursor: int, seconds: float) -> bool:
        """Wait until there is something after `cursor`. False if there was nothing for so long."""
        epoch = self.epoch
        deadline = self._loop.time() + seconds
        while self.sent <= cursor and self.epoch == epoch:
            waiter: asyncio.Future[bool] = self._loop.create_future()
            self._waiters.add(waiter)
            try:
                async with asyncio.timeout_at(deadline):
                    if not await waiter:
                        return False
            except TimeoutError:
                return False
            finally:
                self._waiters.discard(waiter)
        return True

    def end_waiting(self) -> None:
        """Whoever waits is told now that there is nothing."""
        self._wake_waiters(False)

    def _wake_waiters(self, there_is_news: bool = True) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(there_is_news)
        self._waiters.clear()


def frame_of(events: Sequence[bytes], cursor: int) -> Frame:
    """The events that follow `cursor` as one frame of about FRAME_BYTES at most, and at least one event."""
    size = count = 0
    for event in events:
        size += len(event)
        count += 1
        if size > FRAME_BYTES:
            break
    return Frame(wire.batch(events[:count]), last=cursor + count)
