"""One hub per process: the topics that somebody here follows, and what arrives on them.

channel layer ─ hints ─> Tail ─ one frame for all ─> readers that are level
database ─ what hints left out ─┘        └─ Backlog ─> readers that are behind
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.accounts.refusals import Unavailable
from apps.events import log, store
from apps.events.store import Position
from apps.events.threads import in_reader, in_writer
from apps.gateway.background import spawn
from apps.gateway.backlog import Backlog
from apps.gateway.frames import Frame
from apps.gateway.outlets import Outlet
from apps.gateway.reader import Reader
from apps.gateway.tail import Tail

logger = logging.getLogger(__name__)

REORDER_SECONDS = 0.005
"""How long a hint may be late before the database is asked for what it would have said."""
LINGER_SECONDS = 30.0
"""How long a tail stays warm after its last reader left: they often come back together."""
HEADS_AT_ONCE = 500

Notice = dict[str, Any]


@dataclass(slots=True, eq=False)
class Followed:
    """One topic of this process."""

    tail: Tail
    backlog: Backlog
    hears: bool = True
    """Whether its group could be joined; without hints only the look at the heads finds what is new."""
    users: int = 0
    filling: asyncio.Task[None] | None = None
    farewell: asyncio.TimerHandle | None = None


class Hub:
    """Use `hub = await current()`. Everything here runs on the process's event loop."""

    def __init__(self, on_notice: Callable[[Notice], None]) -> None:
        self._on_notice = on_notice
        self._followed: dict[str, Followed] = {}
        self._starting: dict[str, asyncio.Task[Followed]] = {}
        self._early: dict[str, list[dict[str, Any]]] = {}
        """Hints for topics whose position is being read."""
        self._ear = log.Ear()
        self._tasks: list[asyncio.Task[None]] = []
        self.lag = 0.0
        """Seconds that the last look at the heads took, from its turn to its answer."""

    async def start(self) -> None:
        await self._ear.open()
        self._tasks = [
            asyncio.create_task(self._listen(), name="hub listens"),
            asyncio.create_task(self._watch_heads(), name="hub watches heads"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._ear.close()

    @property
    def topics(self) -> int:
        return len(self._followed)

    # Readers

    async def follow(
        self, topic: str, outlet: Outlet, *, after: int | None, epoch: str | None
    ) -> tuple[Reader, Position, bool]:
        """A reader of `topic` that is not started yet, where the topic stands, and whether `after` could be kept.

        Call `reader.join()` once the client was told, and `leave(topic)` when `reader.stop()` was called.
        """
        followed = await self._use(topic)
        try:
            return await self._reader_at(followed, outlet, after, epoch)
        except BaseException:
            self.leave(topic)
            raise

    async def _reader_at(
        self, followed: Followed, outlet: Outlet, after: int | None, epoch: str | None
    ) -> tuple[Reader, Position, bool]:
        tail = followed.tail
        if after is not None and log.lost(tail.position, after, epoch):
            await self._hear_of(followed, after, epoch)
        while True:
            life, at = tail.life, tail.position
            recovered = after is None or not log.lost(at, after, epoch)
            cursor = at.seq if after is None or not recovered else after
            if cursor < at.seq and not tail.has(cursor):
                await followed.backlog.warm()
            if life == tail.life:
                break
        reader = Reader(tail, followed.backlog, outlet, cursor=cursor, credit=settings.LIMITS["credit_bytes"])
        return reader, at, recovered

    async def _hear_of(self, followed: Followed, after: int, epoch: str | None) -> None:
        """This cursor says more than is known here: it was read over another way, or is of another life."""
        if followed.filling is not None:
            await asyncio.shield(followed.filling)
        self._fill(followed)
        if followed.filling is not None:
            await asyncio.shield(followed.filling)
        tail = followed.tail
        tail.flush()
        if log.lost(tail.position, after, epoch):
            at = await in_reader(store.position, tail.topic)
            if not log.lost(at, after, epoch):
                raise Unavailable("This topic's history could not be read; try again.", retry_after=1.0)

    def leave(self, topic: str) -> None:
        """One user of the topic less. The last one leaves the tail warm for a while."""
        followed = self._followed[topic]
        followed.users -= 1
        if not followed.users:
            loop = asyncio.get_running_loop()
            followed.farewell = loop.call_later(LINGER_SECONDS, self._forget, topic, followed)

    async def wait(self, topic: str, after: int, seconds: float) -> bool:
        """Wait until `topic` has something after `after`, or `seconds` are over."""
        followed = await self._use(topic)
        try:
            return await followed.tail.moved_past(after, seconds)
        finally:
            self.leave(topic)

    async def _use(self, topic: str) -> Followed:
        followed = self._followed.get(topic)
        if followed is None:
            task = self._starting.get(topic)
            if task is None:
                task = self._starting[topic] = asyncio.create_task(self._start(topic), name=f"follow {topic}")
                task.add_done_callback(lambda _: self._starting.pop(topic, None))
            followed = await asyncio.shield(task)
        followed.users += 1
        if followed.farewell is not None:
            followed.farewell.cancel()
            followed.farewell = None
        return followed

    async def _start(self, topic: str) -> Followed:
        """Join the group first and look where the topic stands second, so that nothing falls in between."""
        hears = await self._join(topic)
        self._early[topic] = []
        try:
            at = await in_reader(store.position, topic)
            tail = Tail(at if at.epoch else await in_writer(store.found, topic))
        finally:
            early = self._early.pop(topic)
        followed = self._followed[topic] = Followed(tail, Backlog(tail), hears)
        for hint in early:
            self._take(hint)
        return followed

    async def _join(self, topic: str) -> bool:
        try:
            await self._ear.join(topic)
        except Exception as problem:
            logger.warning("Following %s without hints, by its head alone: %s", topic, problem)
            return False
        return True

    def _forget(self, topic: str, followed: Followed) -> None:
        if not followed.users and self._followed.get(topic) is followed:
            del self._followed[topic]
            spawn(self._leave_group(topic), f"leave {topic}")

    async def _leave_group(self, topic: str) -> None:
        if topic not in self._followed:
            try:
                await self._ear.leave(topic)
            except Exception as problem:
                logger.warning("Could not leave the group of %s: %s", topic, problem)

    # Hints

    async def _listen(self) -> None:
        while True:
            try:
                hint = await self._ear.hear()
                self._take(hint)
            except Exception:
                logger.exception("A hint could not be taken")
                await asyncio.sleep(0.1)

    def _take(self, hint: dict[str, Any]) -> None:
        if hint["type"] == "log.notice":
            self._on_notice(hint["notice"])
            return
        followed = self._followed.get(hint["topic"])
        if followed is None:
            if hint["topic"] in self._early:
                self._early[hint["topic"]].append(hint)
            return
        tail = followed.tail
        if hint["type"] == "log.whisper":
            tail.whisper(Frame(hint["frame"]))
        elif tail.epoch and hint["epoch"] != tail.epoch:
            self._fill(followed)
        else:
            tail.epoch = hint["epoch"]
            complete = tail.add(hint["first"], hint["frames"]) if hint["frames"] else hint["last"] <= tail.head
            if not complete:
                self._fill(followed)

    # What hints left out

    def _fill(self, followed: Followed) -> None:
        """Read what is missing, once for all readers."""
        if followed.filling is None:
            followed.filling = asyncio.create_task(self._fill_gap(followed), name=f"fill {followed.tail.topic}")

    async def _fill_gap(self, followed: Followed) -> None:
        tail = followed.tail
        try:
            await asyncio.sleep(REORDER_SECONDS)
            while True:
                page = await in_reader(log.read_after, tail.topic, tail.head, tail.epoch or None)
                if page.reset:
                    self._start_over(followed, Position(tail.topic, page.epoch, page.head, page.floor))
                    return
                tail.epoch, tail.floor = page.epoch, page.floor
                if page.events:
                    tail.add(page.events[0].seq, [event.encoded for event in page.events])
                if tail.head >= page.head and not tail.early:
                    return
                if not page.events:
                    tail.early.clear()
        except Exception as problem:
            logger.warning("Could not read what is missing on %s: %s", tail.topic, problem)
        finally:
            followed.filling = None

    def _start_over(self, followed: Followed, at: Position) -> None:
        """The topic's history is another one now: every reader is told."""
        readers = list(followed.tail.level)
        followed.tail.start_over(at)
        followed.backlog.forget()
        for reader in readers:
            reader.start_over()

    # The look at the heads

    async def _watch_heads(self) -> None:
        """A lost last hint leaves no gap: comparing heads with the database finds it, and other processes' appends."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(settings.HEADS_CHECK_SECONDS)
            started = loop.time()
            names = list(self._followed)
            try:
                for index in range(0, len(names), HEADS_AT_ONCE):
                    await self._compare(names[index : index + HEADS_AT_ONCE])
            except Exception as problem:
                logger.warning("Could not look at the heads: %s", problem)
            self.lag = loop.time() - started
            await self._join_again()

    async def _join_again(self) -> None:
        """The channel layer may be back."""
        for name, followed in list(self._followed.items()):
            if not followed.hears:
                followed.hears = await self._join(name)
                if not followed.hears:
                    return

    async def _compare(self, names: list[str]) -> None:
        seen = {name: self._followed[name].tail.head for name in names if name in self._followed}
        positions = await in_reader(store.positions, names)
        for name, head in seen.items():
            followed = self._followed.get(name)
            if followed is None:
                continue
            at = positions.get(name, Position(name))
            tail = followed.tail
            tail.floor = max(tail.floor, at.floor)
            if at.seq < head and at.epoch == tail.epoch and at.epoch:
                # The database knows less than was shown: it was restored. What follows is another life of the topic.
                await in_writer(store.start_epoch, [name])
                self._fill(followed)
            elif at.epoch != tail.epoch or at.seq > tail.head:
                self._fill(followed)


_hub: Hub | None = None
_hub_starting: "asyncio.Task[Hub] | None" = None
_on_notice: list[Callable[[Notice], None]] = []


def on_notice(listener: Callable[[Notice], None]) -> Callable[[Notice], None]:
    """Declare who is told what one process tells all others (`log.notify`)."""
    _on_notice.append(listener)
    return listener


async def current() -> Hub:
    """This process's hub, started on first use."""
    global _hub_starting
    if _hub is not None:
        return _hub
    if _hub_starting is None or _hub_starting.done() or _hub_starting.get_loop().is_closed():
        _hub_starting = asyncio.create_task(_start_hub(), name="start hub")
    return await asyncio.shield(_hub_starting)


async def _start_hub() -> Hub:
    global _hub

    def tell(notice: Notice) -> None:
        for listener in _on_notice:
            listener(notice)

    hub = Hub(tell)
    await hub.start()
    _hub = hub
    return hub


async def stop() -> None:
    """Stop this process's hub, if it was started."""
    global _hub, _hub_starting
    if _hub is not None:
        await _hub.stop()
    _hub = _hub_starting = None


def running() -> Hub | None:
    return _hub
