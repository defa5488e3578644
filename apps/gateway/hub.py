"""One hub per process: the topics that somebody here follows, and what arrives on them.

channel layer ─ hints ─> Tail ─ one frame for all ─> readers that are level
database ─ what hints left out ─┘        └─ Backlog ─> readers that are behind
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings

from apps.events import log, store
from apps.events.hints import reason
from apps.events.store import Position
from apps.events.threads import in_reader, in_writer
from apps.gateway.background import spawn
from apps.gateway.backlog import Backlog
from apps.gateway.followed import Followed
from apps.gateway.outlets import Outlet
from apps.gateway.reader import Reader
from apps.gateway.tail import Tail

logger = logging.getLogger(__name__)

LINGER_SECONDS = 30.0
"""How long a tail stays warm after its last reader left: they often come back together."""
HEADS_AT_ONCE = 500
LAYER_SECONDS = 2.0
"""How long anybody waits for the channel layer."""
OPEN_AGAIN_SECONDS = JOIN_AGAIN_SECONDS = 1.0
HEAR_AGAIN_SECONDS = 0.1

Notice = dict[str, Any]


class Hub:
    """Use `hub = await current()`. Everything here runs on the process's event loop."""

    def __init__(self, on_notice: Callable[[Notice], None]) -> None:
        self._on_notice = on_notice
        self._followed: dict[str, Followed] = {}
        self._starting: dict[str, asyncio.Task[Followed]] = {}
        self._early: dict[str, list[dict[str, Any]]] = {}
        """Hints for topics whose position is being read."""
        self._ear = log.Ear()
        self._loop = asyncio.get_running_loop()
        self._tasks: list[asyncio.Task[None]] = []
        self._ending = False
        self.lag = 0.0
        """Seconds that the last look at the heads took, from its turn to its answer."""

    async def start(self) -> None:
        self._ear.start()
        opening = asyncio.create_task(self._open_ear(), name="hub opens its ear")
        self._tasks = [
            opening,
            asyncio.create_task(self._listen(opening), name="hub listens"),
            asyncio.create_task(self._watch_heads(), name="hub watches heads"),
            asyncio.create_task(self._keep_joining(), name="hub joins"),
        ]
        await asyncio.wait([opening], timeout=LAYER_SECONDS)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._ear.close()

    def call_soon(self, work: Callable[..., object], *args: object) -> None:
        """Call `work` on this process's event loop; from any thread."""
        self._loop.call_soon_threadsafe(work, *args)

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
            return await followed.reader(outlet, after=after, epoch=epoch)
        except BaseException:
            self.leave(topic)
            raise

    def leave(self, topic: str) -> None:
        """One user of the topic less. The last one leaves the tail warm for a while."""
        followed = self._followed[topic]
        followed.users -= 1
        if not followed.users:
            self._linger(topic, followed)

    async def wait(self, topic: str, after: int, seconds: float) -> bool:
        """Wait until `topic` has something after `after`, or `seconds` are over."""
        followed = await self._use(topic)
        try:
            return not self._ending and await followed.tail.moved_past(after, seconds)
        finally:
            self.leave(topic)

    def end_waiting(self) -> None:
        """The process is about to stop: whoever waits is answered now, and nobody waits any more."""
        self._ending = True
        for followed in self._followed.values():
            followed.tail.end_waiting()

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
        except Exception:
            await self._leave_group(topic)
            raise
        finally:
            early = self._early.pop(topic)
        followed = self._followed[topic] = Followed(tail, Backlog(tail), hears)
        self._linger(topic, followed)  # Who wanted it may have gone meanwhile.
        for hint in early:
            self._take(hint)
        return followed

    async def _join(self, topic: str) -> bool:
        if not self._ear.is_open:
            return False
        try:
            async with asyncio.timeout(LAYER_SECONDS):
                await self._ear.join(topic)
        except Exception as problem:
            logger.warning("Following %s without hints, by its head alone: %s", topic, reason(problem))
            return False
        return True

    def _linger(self, topic: str, followed: Followed) -> None:
        """Nobody uses it now: keep it for a while."""
        loop = asyncio.get_running_loop()
        followed.farewell = loop.call_later(LINGER_SECONDS, self._forget, topic, followed)

    def _forget(self, topic: str, followed: Followed) -> None:
        if not followed.users and self._followed.get(topic) is followed:
            del self._followed[topic]
            spawn(self._leave_group(topic), f"leave {topic}")

    async def _leave_group(self, topic: str) -> None:
        if topic not in self._followed and self._ear.is_open:
            try:
                async with asyncio.timeout(LAYER_SECONDS):
                    await self._ear.leave(topic)
            except Exception as problem:
                logger.warning("Could not leave the group of %s: %s", topic, reason(problem))

    # Hints

    async def _open_ear(self) -> None:
        level = logging.WARNING
        while not self._ear.is_open:
            try:
                await self._ear.open()
            except Exception as problem:
                logger.log(level, "There is no channel layer; heads alone tell what is new: %s", reason(problem))
                level = logging.DEBUG
                await asyncio.sleep(OPEN_AGAIN_SECONDS)

    async def _listen(self, opening: "asyncio.Task[None]") -> None:
        await opening
        level = logging.WARNING
        while True:
            try:
                hint = await self._ear.hear()
            except Exception as problem:
                logger.log(level, "No hints come in; heads alone tell what is new: %s", reason(problem))
                level = logging.DEBUG
                await asyncio.sleep(HEAR_AGAIN_SECONDS)
                continue
            level = logging.WARNING
            try:
                self._take(hint)
            except Exception:
                logger.exception("A hint could not be taken")

    def _take(self, hint: dict[str, Any]) -> None:
        if hint["type"] == "log.notice":
            self._on_notice(hint["notice"])
            return
        followed = self._followed.get(hint["topic"])
        if followed is None:
            if hint["topic"] in self._early:
                self._early[hint["topic"]].append(hint)
            return
        followed.take(hint)

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

    async def _keep_joining(self) -> None:
        """The channel layer may be back. What waits for it does not keep the look at the heads waiting."""
        while True:
            await asyncio.sleep(JOIN_AGAIN_SECONDS)
            for name, followed in list(self._followed.items()):
                if not followed.hears:
                    followed.hears = await self._join(name)
                    if not followed.hears:
                        break

    async def _compare(self, names: list[str]) -> None:
        seen = {name: self._followed[name].tail.head for name in names if name in self._followed}
        positions = await in_reader(store.positions, names)
        for name, head in seen.items():
            if followed := self._followed.get(name):
                await followed.compare(positions.get(name, Position(name)), head)


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


def hears() -> bool:
    """Whether hints come and go; without them what is new is found by looking at the heads."""
    return log.hints_arrive()
