"""One topic that somebody of this process follows: what hints bring, and what they left out."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.accounts.refusals import Unavailable
from apps.events import log, store
from apps.events.store import Position
from apps.events.threads import in_reader, in_writer
from apps.gateway.backlog import Backlog
from apps.gateway.frames import Frame
from apps.gateway.outlets import Outlet
from apps.gateway.reader import Reader
from apps.gateway.tail import Tail

logger = logging.getLogger(__name__)

LATE_SECONDS = 0.1
"""How much later than the row that it speaks of a hint may be, before it counts as lost."""
REORDER_SECONDS = 0.005
"""How long a hint may be late before the database is asked for what it would have said."""


@dataclass(slots=True, eq=False)
class Followed:
    """A topic's tail and backlog, and the filling of its gaps: once for all readers."""

    tail: Tail
    backlog: Backlog
    hears: bool = True
    """Whether its group could be joined; without hints only the look at the heads finds what is new."""
    users: int = 0
    filling: asyncio.Task[None] | None = None
    wanted: int = 0
    """The highest seq that was hinted at since the last read began; that read may have come too early for it."""
    farewell: asyncio.TimerHandle | None = None

    async def reader(self, outlet: Outlet, *, after: int | None, epoch: str | None) -> tuple[Reader, Position, bool]:
        """A reader that is not started yet, where the topic stands, and whether `after` could be kept."""
        tail = self.tail
        if after is not None and log.lost(tail.position, after, epoch):
            await self._hear_of(after, epoch)
        while True:
            life, at = tail.life, tail.position
            recovered = after is None or not log.lost(at, after, epoch)
            cursor = at.seq if after is None or not recovered else after
            if cursor < at.seq and not tail.has(cursor):
                await self.backlog.warm()
            if life == tail.life:
                break
        reader = Reader(tail, self.backlog, outlet, cursor=cursor, credit=settings.LIMITS["credit_bytes"])
        return reader, at, recovered

    async def _hear_of(self, after: int, epoch: str | None) -> None:
        """This cursor says more than is known here: it was read over another way, or is of another life."""
        if self.filling is not None:
            await asyncio.shield(self.filling)
        self.fill()
        if self.filling is not None:
            await asyncio.shield(self.filling)
        tail = self.tail
        tail.flush()
        if log.lost(tail.position, after, epoch):
            at = await in_reader(store.position, tail.topic)
            if not log.lost(at, after, epoch):
                raise Unavailable("This topic's history could not be read; try again.", retry_after=1.0)

    def take(self, hint: dict[str, Any]) -> None:
        """A hint of this topic: its events go to the tail; what it only points to, or what is missing, is read."""
        tail = self.tail
        if hint["type"] == "log.whisper":
            tail.whisper(Frame(hint["frame"]))
        elif tail.epoch and hint["epoch"] != tail.epoch:
            self.fill(hint["last"])
        else:
            tail.epoch = hint["epoch"]
            complete = tail.add(hint["first"], hint["frames"]) if hint["frames"] else hint["last"] <= tail.head
            if not complete:
                self.fill(hint["last"])

    async def compare(self, at: Position, head: int) -> None:
        """The database says that the topic is `at`; our head was `head` before it was asked."""
        tail = self.tail
        tail.floor = max(tail.floor, at.floor)
        if at.seq < head and at.epoch == tail.epoch and at.epoch:
            # The database knows less than was shown: it was restored. What follows is another life of the topic.
            await in_writer(store.start_epoch, [tail.topic])
            self.fill()
        elif at.epoch != tail.epoch:
            self.fill()
        elif at.seq > tail.head:
            # Most likely its hint is under way; under load one would chase those with a read a second.
            asyncio.get_running_loop().call_later(LATE_SECONDS, self._fill_up_to, at.seq)

    def _fill_up_to(self, seq: int) -> None:
        if self.tail.head < seq:
            self.fill(seq)

    def fill(self, up_to: int = 0) -> None:
        """Read what is missing, once for all readers."""
        self.wanted = max(self.wanted, up_to)
        if self.filling is None:
            self.filling = asyncio.create_task(self._fill_gap(), name=f"fill {self.tail.topic}")

    async def _fill_gap(self) -> None:
        tail = self.tail
        try:
            await asyncio.sleep(REORDER_SECONDS)
            while True:
                self.wanted = 0
                page, events = await in_reader(log.encoded, log.read_after, tail.topic, tail.head, tail.epoch or None)
                if page.reset:
                    self._start_over(Position(tail.topic, page.epoch, page.head, page.floor))
                else:
                    tail.epoch, tail.floor = page.epoch, page.floor
                if page.events:
                    tail.add(page.events[0].seq, events)
                if tail.head >= max(page.head, self.wanted) and not tail.early:
                    return
                if not page.events:
                    tail.early.clear()
        except Exception as problem:
            logger.warning("Could not read what is missing on %s: %s", tail.topic, problem)
        finally:
            self.filling = None

    def _start_over(self, at: Position) -> None:
        """The topic's history is another one now: every reader is told."""
        readers = list(self.tail.level)
        self.tail.start_over(at)
        self.backlog.forget()
        for reader in readers:
            reader.start_over()
