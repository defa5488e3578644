"""Hints on their way out: a queue that takes them from any thread and keeps nobody waiting.

What carries them may be slow, away, or lose what it was given. A stored event's hint may be dropped then, since readers
compare their cursors with the database. What everyone has to hear is kept and said again: nothing else would tell it.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from typing import Any

logger = logging.getLogger(__name__)

HINTS_WAITING = 10_000
NOTICES_WAITING = 1_000
SEND_AGAIN_SECONDS = 0.5
EVERYONE = "everyone"
"""The group that every process is in."""

Hint = dict[str, Any]

NOTHING: Hint = {"type": "log.notice", "notice": {}}
"""Said until it gets through, when nothing else is: that shows whether hints can leave."""


def reason(problem: BaseException) -> str:
    """For the server's log: the `repr` of some exceptions hides what they say, and others say nothing."""
    return f"{type(problem).__name__} {problem}".rstrip()


class Outgoing(ABC):
    """Sends hints to groups, in order."""

    def __init__(self) -> None:
        self._hints: deque[tuple[str, Hint]] = deque(maxlen=HINTS_WAITING)
        self._notices: deque[tuple[str, Hint]] = deque(maxlen=NOTICES_WAITING)
        self._waiting = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.is_failing = False

    @abstractmethod
    async def send(self, group: str, hint: Hint) -> None:
        """Send one. Raises whatever keeps it from that."""

    def start(self) -> None:
        """Send what is said from now on."""
        self._sender = asyncio.create_task(self._send_all(), name="hints")

    def stop(self) -> None:
        self._sender.cancel()

    def say(self, group: str, hint: Hint) -> None:
        """Have a hint sent; callable from any thread."""
        self._loop.call_soon_threadsafe(self._enqueue, group, hint)

    def _enqueue(self, group: str, hint: Hint) -> None:
        (self._notices if group == EVERYONE else self._hints).append((group, hint))
        self._waiting.set()

    async def _send_all(self) -> None:
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            while waiting := self._notices or self._hints:
                group, hint = waiting.popleft()
                try:
                    await self.send(group, hint)
                    self.is_failing = False
                except Exception as problem:
                    if not self.is_failing:
                        logger.warning("The channel layer takes no hints: %s", reason(problem))
                    self.is_failing = True
                    self._hints.clear()
                    self._notices.appendleft((group, hint) if group == EVERYONE else (EVERYONE, NOTHING))
                    await asyncio.sleep(SEND_AGAIN_SECONDS)
