"""A topic's older history, read from the database once for all readers that need the same page."""

import asyncio
from collections.abc import Sequence

from apps.events import log
from apps.events.threads import in_reader
from apps.gateway.frames import Frame
from apps.gateway.tail import RING_EVENTS, Tail, frame_of

PAGE = 500
PAGES_KEPT = 4
BYTES_KEPT = 8 * 1024 * 1024
WARM_EVENTS = min(1_000, RING_EVENTS)
GONE = b""
"""The place of an event that was pruned."""


class Backlog:
    """Pages are aligned (1–500, 501–1000 …), so that readers at neighbouring cursors share a read."""

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._pages: dict[int, Sequence[bytes]] = {}
        self._reading: dict[int, asyncio.Task[Sequence[bytes] | None]] = {}
        self._frames: dict[int, Frame] = {}
        self._warming: asyncio.Task[None] | None = None

    def forget(self) -> None:
        """The topic started over."""
        self._pages.clear()
        self._frames.clear()
        self._warming = None

    async def warm(self) -> None:
        """Fill the ring with the newest history, once: after a restart all readers resume from it."""
        if self._warming is None or (self._warming.done() and self._warming.exception() is not None):
            self._warming = asyncio.create_task(self._warm(), name=f"warm {self._tail.topic}")
        await asyncio.shield(self._warming)

    async def frame_after(self, cursor: int, until: int) -> Frame | None:
        """What follows `cursor`, up to `until`, from the database. None if that history is gone."""
        if frame := self._known(cursor, until):
            return frame
        index, skip = divmod(cursor, PAGE)
        page = self._pages.get(index)
        if page is None or len(page) <= skip:
            page = await self._read(index)
            if frame := self._known(cursor, until):
                return frame  # Somebody else who waited for this page has built it.
        if page is None or len(page) <= skip or page[skip] is GONE:
            return None
        frame = self._frames[cursor] = frame_of(page[skip : skip + until - cursor], cursor)
        while len(self._frames) > PAGES_KEPT:
            del self._frames[next(iter(self._frames))]
        return frame

    def _known(self, cursor: int, until: int) -> Frame | None:
        frame = self._frames.get(cursor)
        return frame if frame is not None and frame.last <= until else None

    async def _read(self, index: int) -> Sequence[bytes] | None:
        """One read for all who wait for this page."""
        task = self._reading.get(index)
        if task is None:
            task = self._reading[index] = asyncio.create_task(self._fetch(index))
            task.add_done_callback(lambda _: self._reading.pop(index, None))
        return await asyncio.shield(task)

    async def _fetch(self, index: int) -> Sequence[bytes] | None:
        tail = self._tail
        epoch, begin = tail.epoch, index * PAGE
        while tail.floor < begin + PAGE:
            first = max(begin, tail.floor)
            page = await in_reader(log.read_after, tail.topic, first, epoch, begin + PAGE - first)
            if tail.epoch != epoch:
                return None
            if not page.reset:
                return self._keep(index, [GONE] * (first - begin) + [event.encoded for event in page.events])
            if page.epoch != epoch or page.floor <= first:
                return None
            tail.floor = page.floor  # Pruned a moment ago; what is above the floor is still there.
        return None

    def _keep(self, index: int, events: Sequence[bytes]) -> Sequence[bytes]:
        self._pages[index] = events
        while len(self._pages) > 1 and (len(self._pages) > PAGES_KEPT or self._bytes > BYTES_KEPT):
            del self._pages[next(iter(self._pages))]
        return events

    @property
    def _bytes(self) -> int:
        return sum(len(event) for page in self._pages.values() for event in page)

    async def _warm(self) -> None:
        tail = self._tail
        page = await in_reader(log.read_before, tail.topic, tail.oldest, WARM_EVENTS)
        if page.epoch == tail.epoch and page.events:
            tail.put_before([event.encoded for event in page.events], first=page.events[0].seq)
