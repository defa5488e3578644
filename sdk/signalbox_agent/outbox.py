"""What was said and not yet acknowledged, in order."""

import asyncio
import heapq
import time
from dataclasses import dataclass, field

from signalbox_agent.frames import Frame, Refused, encode, size_of

LIMIT_BYTES = 8 * 1024 * 1024


@dataclass(slots=True)
class Entry:
    """One frame, from the moment it is posted until it is answered."""

    number: int
    id: str
    text: str
    size: int
    answers: "list[asyncio.Future[Frame]]" = field(repr=False)
    """Of each time that it was posted."""

    @property
    def awaited(self) -> "list[asyncio.Future[Frame]]":
        return [answer for answer in self.answers if not answer.done()]


class Outbox:
    """Keeps every frame until its answer came. Full, it makes its writers wait rather than lose something."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._entries: dict[int, Entry] = {}
        self._numbers: dict[str, int] = {}
        self._unsent: list[int] = []
        self._last = 0
        self._size = 0
        self._not_before = 0.0
        self._posted = asyncio.Event()
        self._turn = asyncio.Lock()
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._entries)

    async def post(self, frame: Frame) -> "asyncio.Future[Frame]":
        """Put a frame at the end; its future is the ack's data, or raises Refused. Waits while the outbox is full.

        One that is posted again before its answer came keeps its place, and the answer is for both.
        """
        text = encode(frame)
        size = size_of(text)
        async with self._turn:
            while self._entries and self._size + size > self._limit:
                self._room.clear()
                await self._room.wait()
            answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
            if (known := self._numbers.get(str(frame["id"]))) is not None:
                self._entries[known].answers.append(answer)
                return answer
            self._last += 1
            entry = Entry(self._last, str(frame["id"]), text, size, [answer])
            self._entries[entry.number] = entry
            self._numbers[entry.id] = entry.number
            self._size += size
            heapq.heappush(self._unsent, entry.number)
            self._posted.set()
            return answer

    async def next(self) -> Entry:
        """The oldest frame that has to be sent, when it may be."""
        while True:
            while not self._unsent:
                self._posted.clear()
                await self._posted.wait()
            if (wait := self._not_before - time.monotonic()) > 0:
                await asyncio.sleep(wait)
                continue
            if entry := self._entries.get(heapq.heappop(self._unsent)):
                return entry

    def send_all_again(self, *, after: float = 0.0) -> None:
        """Whatever has no answer goes out once more, in its old order, in `after` seconds."""
        self._unsent = sorted(self._entries)
        self._not_before = time.monotonic() + after
        if self._unsent:
            self._posted.set()

    def acknowledge(self, id: str, data: Frame) -> bool:
        """The server took it. False: this is no frame of ours."""
        if (entry := self._remove(id)) is None:
            return False
        for answer in entry.awaited:
            answer.set_result(data)
        return True

    def refuse(self, id: str, refused: Refused) -> bool:
        """The server said no: for good, or it is sent again after the wait that was asked for."""
        number = self._numbers.get(id)
        if number is None:
            return False
        if refused.is_for_now:
            self._not_before = max(self._not_before, time.monotonic() + (refused.retry_after or 1.0))
            heapq.heappush(self._unsent, number)
            self._posted.set()
            return True
        if entry := self._remove(id):
            for answer in entry.awaited:
                answer.set_exception(refused)
                answer.exception()  # A writer that did not wait for it is not told off for that.
        return True

    def _remove(self, id: str) -> Entry | None:
        number = self._numbers.pop(id, None)
        if number is None:
            return None
        entry = self._entries.pop(number)
        self._size -= entry.size
        self._room.set()
        return entry
