"""A topic's older history, read from the database once for all readers that need the same page."""

import asyncio
from dataclasses import dataclass

from apps.events import log
from apps.events.threads import in_reader
from apps.gateway.frames import Frame
from apps.gateway.tail import RING_EVENTS, Tail, frame_of

PAGE = 500
PAGES_KEPT = 4
BYTES_KEPT = 8 * 1024 * 1024
WARM_EVENTS = min(1_000, RING_EVENTS)


@dataclass(frozen=True, slots=True)
class Page:
    """The events that follow seq `first`."""

    first: int
    events: list[bytes]
    is_cut: bool
    """Whether it has fewer than were asked for, since they are large."""

    def has(self, cursor: int) -> bool:
        """Whether it has the event that follows `cursor`."""
        return self.first <= cursor < self.first + len(self.events)


class Backlog:
    """Pages are aligned (1–500, 501–1000 …), so that readers at neighbouring cursors share a read.

    Where large events cut a page short, a reader beyond the cut has one that begins at its cursor.
    """

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self._pages: dict[int, Page] = {}
        self._reading: dict[int, asyncio.Task[Page | None]] = {}
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
        life = self._tail.life
        page = self._page_with(cursor) or await self._read_page_with(cursor)
        if self._tail.life != life:
            return None  # The page is of the life before.
        if frame := self._known(cursor, until):
            return frame  # Somebody else who waited for this page has built it.
        if page is None:
            return None
        skip = cursor - page.first
        frame = self._frames[cursor] = frame_of(page.events[skip : skip + until - cursor], cursor)
        while len(self._frames) > PAGES_KEPT:
            del self._frames[next(iter(self._frames))]
        return frame

    def _known(self, cursor: int, until: int) -> Frame | None:
        frame = self._frames.get(cursor)
        return frame if frame is not None and frame.last <= until else None

    def _page_with(self, cursor: int) -> Page | None:
        return next((page for page in self._pages.values() if page.has(cursor)), None)

    async def _read_page_with(self, cursor: int) -> Page | None:
        page = await self._read(self._first_for(cursor))
        if page is not None and page.is_cut and not page.has(cursor):
            page = await self._read(cursor)
        return page if page is not None and page.has(cursor) else None

    def _first_for(self, cursor: int) -> int:
        """Where the page begins that has what follows `cursor`, as far as is known."""
        aligned = cursor - cursor % PAGE
        is_beyond_a_cut = any(page.is_cut and aligned <= page.first <= cursor for page in self._pages.values())
        return cursor if is_beyond_a_cut else aligned

    async def _read(self, first: int) -> Page | None:
        """One read for all who wait for this page."""
        task = self._reading.get(first)
        if task is None:
            task = self._reading[first] = asyncio.create_task(self._fetch(first))
            task.add_done_callback(lambda _: self._reading.pop(first, None))
        return await asyncio.shield(task)

    async def _fetch(self, first: int) -> Page | None:
        tail = self._tail
        epoch, end = tail.epoch, first - first % PAGE + PAGE
        while (first := max(first, tail.floor)) < end:
            page, events = await in_reader(log.encoded, log.read_after, tail.topic, first, epoch, end - first)
            if tail.epoch != epoch:
                return None
            if not page.reset:
                return self._keep(Page(first, events, is_cut=first + len(events) < min(end, page.head)))
            if page.epoch != epoch or page.floor <= first:
                return None
            tail.floor = page.floor  # Pruned a moment ago; what is above the floor is still there.
        return None

    def _keep(self, page: Page) -> Page:
        self._pages.pop(page.first, None)
        self._pages[page.first] = page
        while len(self._pages) > 1 and (len(self._pages) > PAGES_KEPT or self._bytes > BYTES_KEPT):
            del self._pages[next(iter(self._pages))]
        return page

    @property
    def _bytes(self) -> int:
        return sum(len(event) for page in self._pages.values() for event in page.events)

    async def _warm(self) -> None:
        tail = self._tail
        page, events = await in_reader(log.encoded, log.read_before, tail.topic, tail.oldest, WARM_EVENTS)
        if page.epoch == tail.epoch and page.events:
            tail.put_before(events, first=page.events[0].seq)
