"""One connection's place in one topic: a cursor, and what it still owes an acknowledgement for."""

import asyncio
import logging
from collections import deque

from apps.events import wire
from apps.gateway.backlog import Backlog
from apps.gateway.frames import Frame
from apps.gateway.metrics import delivered
from apps.gateway.outlets import Outlet
from apps.gateway.tail import Tail

logger = logging.getLogger(__name__)

TRIES = 20
TRY_AGAIN_SECONDS = 0.5


class Reader:
    """Follows one tail for one connection.

    While it is level with the tail, its cursor is the tail's `sent`. When it cannot take a frame it falls behind and
    `_catch_up` carries it back: from the ring, or from the database if it fell off the ring.
    """

    __slots__ = ("_backlog", "_catching_up", "_credit", "_debts", "_life", "_owed", "_room", "cursor", "outlet", "tail")

    def __init__(self, tail: Tail, backlog: Backlog, outlet: Outlet, *, cursor: int, credit: int) -> None:
        self.tail = tail
        self._backlog = backlog
        self.outlet = outlet
        self.cursor = cursor
        self._credit = credit
        self._life = tail.life
        # A server that cannot tell what is still in its buffers needs credit from the first byte.
        self._debts: deque[tuple[int, int]] | None = None if outlet.has_backpressure else deque()
        self._owed = 0
        self._room: asyncio.Event | None = None
        self._catching_up: asyncio.Task[None] | None = None

    @property
    def is_level(self) -> bool:
        return self in self.tail.level

    @property
    def position(self) -> int:
        """Seq of the last event that was written to this reader."""
        return self.tail.sent if self.is_level else self.cursor

    def take(self, frame: Frame) -> bool:
        """Write a frame if there is room for it."""
        outlet = self.outlet
        if outlet.is_full or self._owed > self._credit:
            return False
        outlet.write(frame)
        if self._debts is not None:
            self._debts.append(frame.debt)
            self._owed += len(frame)
        return True

    def take_whisper(self, frame: Frame) -> None:
        """A whisper is for who listens now; a reader without room misses it."""
        if not self.outlet.is_full:
            self.outlet.write(frame)

    def received(self, seq: int) -> None:
        """The client has everything up to `seq`: it may get more."""
        if self._debts is None:
            # From now on this client is held to its acknowledgements.
            self._debts = deque()
        while self._debts and self._debts[0][0] <= seq:
            self._owed -= self._debts.popleft()[1]
        self.wake()

    def wake(self) -> None:
        """There may be room again."""
        if self._room is not None:
            self._room.set()

    def fall_behind(self, cursor: int) -> None:
        """Go on from `cursor` at this reader's own speed."""
        self.cursor = cursor
        if self._catching_up is None:
            self._catching_up = asyncio.create_task(self._catch_up(), name=f"catch-up {self.tail.topic}")

    def join(self) -> None:
        """Start reading: level at once if nothing was missed."""
        if self._life != self.tail.life:
            self.start_over()
        elif self.cursor >= self.tail.sent:
            self.tail.level.add(self)
        else:
            self.fall_behind(self.cursor)

    def start_over(self) -> None:
        """History was lost: tell the client, and go on from where the topic stands now."""
        self.stop()
        tail = self.tail
        told = {"topic": tail.topic, "epoch": tail.epoch, "head": tail.sent, "floor": tail.floor}
        self.outlet.write(Frame(wire.frame("reset", topic=tail.topic, data=told)))
        if self._debts:
            self._debts.clear()
        self._owed = 0
        self._life = tail.life
        self.cursor = tail.sent
        tail.level.add(self)

    def stop(self) -> None:
        self.tail.level.discard(self)
        if self._catching_up is not None:
            self._catching_up.cancel()
            self._catching_up = None

    async def _catch_up(self) -> None:
        tail = self.tail
        while self.cursor < tail.sent:
            await self._wait_for_room()
            if self._life != tail.life:
                break
            frame = (
                tail.frame_after(self.cursor, until=tail.sent) if tail.has(self.cursor) else await self._older_frame()
            )
            if frame is None:
                break
            if self._life == tail.life and self.take(frame):
                delivered.frames += 1
                delivered.events += frame.last - self.cursor
                self.cursor = frame.last
        self._catching_up = None
        if self._life == tail.life and self.cursor == tail.sent:
            tail.level.add(self)
        else:
            self.start_over()

    async def _older_frame(self) -> Frame | None:
        """What follows the cursor in the database. None: it is gone."""
        tail = self.tail
        for _ in range(TRIES):
            try:
                frame = await self._backlog.frame_after(self.cursor, until=tail.sent)
                if frame is not None or self.cursor < tail.floor or self._life != tail.life:
                    return frame
                # Of another life of the topic, of which the hub hears in a moment.
            except Exception as problem:
                logger.warning("Could not read what follows %s #%d: %s", tail.topic, self.cursor, problem)
            await asyncio.sleep(TRY_AGAIN_SECONDS)
        return None

    async def _wait_for_room(self) -> None:
        while self.outlet.is_full or self._owed > self._credit:
            self._room = asyncio.Event()
            if self.outlet.is_full:
                self.outlet.wake_when_writable(self.wake)
            await self._room.wait()
            self._room = None
