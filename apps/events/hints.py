"""Hints: how one process tells the others at once what the log knows, through the channel layer.

This is the only module that speaks to it. The layer may be slow, away, or lose what it was given: nobody waits for it.
"""

import asyncio
import logging
from collections import deque
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

HINTS_WAITING = 10_000
NOTICES_WAITING = 1_000
SEND_SECONDS = 2.0
SEND_AGAIN_SECONDS = 0.5
EVERYONE = "everyone"
"""The group that every process is in."""

Hint = dict[str, Any]

_NOTHING: Hint = {"type": "log.notice", "notice": {}}
"""Said until it gets through, when nothing else is: that shows when the layer is back."""


class Ear:
    """What one process hears: joins the groups of topics, and yields the hints that arrive.

    From its start on, hints of this process leave through it, in order, from whichever thread they come.
    """

    def __init__(self) -> None:
        self._hints: deque[tuple[str, Hint]] = deque(maxlen=HINTS_WAITING)
        """A lost one costs a moment, since readers compare their cursors with the database."""
        self._notices: deque[tuple[str, Hint]] = deque(maxlen=NOTICES_WAITING)
        """What everyone has to hear: nothing else would tell them."""
        self._waiting = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._layer = get_channel_layer()
        self.is_failing = False
        self.is_open = False

    def start(self) -> None:
        """Take what is said in this process. Whether the layer can be reached does not matter yet."""
        self._sender = asyncio.create_task(self._send_hints(), name="hints")
        _ears.append(self)

    async def open(self) -> None:
        """Begin to hear."""
        self._channel = await self._layer.new_channel("signalbox")
        await self._layer.group_add(EVERYONE, self._channel)
        self.is_open = True

    async def close(self) -> None:
        if self in _ears:
            _ears.remove(self)
            self._sender.cancel()

    async def join(self, topic: str) -> None:
        await self._layer.group_add(_group(topic), self._channel)

    async def leave(self, topic: str) -> None:
        await self._layer.group_discard(_group(topic), self._channel)

    async def hear(self) -> Hint:
        """The next hint: `log.stored` {topic, epoch, first, last, frames}, `log.whisper` {topic, frame} or
        `log.notice` {notice}."""
        hint: Hint = await self._layer.receive(self._channel)
        return hint

    def say(self, group: str, hint: Hint) -> None:
        """Send a hint; callable from any thread."""
        self._loop.call_soon_threadsafe(self._enqueue, group, hint)

    def _enqueue(self, group: str, hint: Hint) -> None:
        (self._notices if group == EVERYONE else self._hints).append((group, hint))
        self._waiting.set()

    async def _send_hints(self) -> None:
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            while waiting := self._notices or self._hints:
                group, hint = waiting.popleft()
                try:
                    await _send(self._layer, group, hint)
                    self.is_failing = False
                except Exception as problem:
                    if not self.is_failing:
                        logger.warning("The channel layer takes no hints: %r", problem)
                    self.is_failing = True
                    self._hints.clear()
                    self._notices.appendleft((group, hint) if group == EVERYONE else (EVERYONE, _NOTHING))
                    await asyncio.sleep(SEND_AGAIN_SECONDS)


_ears: list[Ear] = []


def say(topic: str | None, hint: Hint) -> None:
    """Tell those that follow `topic`, or everyone. Only a process without an ear waits for that, for SEND_SECONDS."""
    group = EVERYONE if topic is None else _group(topic)
    if _ears:
        _ears[0].say(group, hint)
        return
    try:
        async_to_sync(_send)(get_channel_layer(), group, hint)
    except Exception as problem:
        logger.warning("The channel layer took no hint: %r", problem)


def arrive() -> bool:
    """Whether this process hears, and the channel layer took what it said last."""
    return all(ear.is_open and not ear.is_failing for ear in _ears)


async def _send(layer: Any, group: str, hint: Hint) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await layer.group_send(group, hint)


def _group(topic: str) -> str:
    return f"topic.{topic}"
