"""The command frames of one connection, from when they were understood to when they are answered."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from apps.accounts.actors import Actor
from apps.accounts.refusals import TooFast
from apps.events import dispatch
from apps.events.dispatch import Call
from apps.events.models import StoredEvent

CALLS_WAITING = 1_000


class Calls:
    """Ordinary frames are carried out one after the other; grouped ones as they come, since they keep their order."""

    __slots__ = ("_answer", "_in_flight", "_is_busy", "_settled", "_waiting")

    def __init__(self, answer: "Callable[[Call, Any, asyncio.Future[StoredEvent | None]], None]") -> None:
        """`answer` is told of each, with its id, when it has been carried out: its event, or what went wrong."""
        self._answer = answer
        self._waiting: deque[tuple[Call, Any]] = deque()
        self._is_busy = False
        self._in_flight = 0
        self._settled: asyncio.Event | None = None

    def add(self, call: Call, id: Any) -> None:
        """Start it, or let it wait for its turn; `id` is its sender's, as it was sent. Raises TooFast."""
        if self._in_flight >= CALLS_WAITING:
            raise TooFast("Too many of your frames are waiting for their answers.", retry_after=1.0)
        self._in_flight += 1
        if call.frame.GROUPED:
            self._start(call, id)
        else:
            self._waiting.append((call, id))
            self._go_on()

    def become(self, actor: Actor) -> None:
        """What waits is this actor's."""
        self._waiting = deque((replace(call, actor=actor), id) for call, id in self._waiting)

    def drop(self) -> None:
        """Forget what waits."""
        self._in_flight -= len(self._waiting)
        self._waiting.clear()

    async def settle(self) -> None:
        """Wait until all that was added has been carried out."""
        if self._in_flight:
            self._settled = asyncio.Event()
            await self._settled.wait()

    def _go_on(self) -> None:
        if self._waiting and not self._is_busy:
            self._is_busy = True
            self._start(*self._waiting.popleft())

    def _start(self, call: Call, id: Any) -> None:
        dispatch.perform(call).add_done_callback(partial(self._finish, call, id))

    def _finish(self, call: Call, id: Any, done: "asyncio.Future[StoredEvent | None]") -> None:
        self._in_flight -= 1
        if not done.cancelled():
            self._answer(call, id, done)
        if not call.frame.GROUPED:
            self._is_busy = False
            self._go_on()
        if self._settled is not None and not self._in_flight:
            self._settled.set()
