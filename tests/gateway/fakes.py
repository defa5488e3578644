"""A client without a network: an outlet that can be full, and what its owner makes of the frames."""

import json
import zlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from apps.accounts.actors import SYSTEM, Actor
from apps.events.log import Page
from apps.gateway.connection import Connection
from apps.gateway.frames import Frame


class FakeOutlet:
    """Takes frames into a list. `full` says whether it has room; after `free()` its readers are awake again."""

    def __init__(self, *, has_backpressure: bool = True) -> None:
        self.has_backpressure = has_backpressure
        self.compress = False
        self.full = False
        self.frames: list[Frame] = []
        self.closed: tuple[int, str] | None = None
        self.alive_at = 0.0
        self.pings = 0
        self.room: int | None = None
        """Frames until it is full by itself; None: never."""
        self._sleepers: list[Callable[[], None]] = []

    @property
    def is_full(self) -> bool:
        return self.full

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)
        if self.room is not None:
            self.room -= 1
            self.full = self.room <= 0

    def free(self, room: int | None = None) -> None:
        self.full, self.room = False, room
        sleepers, self._sleepers = self._sleepers, []
        for wake in sleepers:
            wake()

    def wake_when_writable(self, wake: Callable[[], None]) -> None:
        self._sleepers.append(wake)

    def sign_of_life(self, now: float) -> float:
        return self.alive_at

    def ping(self) -> None:
        self.pings += 1

    async def drain(self) -> None:
        pass

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def taken(self) -> list[dict[str, Any]]:
        """The frames written since the last look, batches unpacked."""
        frames, self.frames = self.frames, []
        return [message for frame in frames for message in unpacked(frame)]


def unpacked(frame: Frame) -> list[dict[str, Any]]:
    """The messages in a frame; what compression says has to be the same."""
    if (packed := frame.deflated) is not None:
        assert zlib.decompress(packed, -zlib.MAX_WBITS) == frame.text
    message = json.loads(frame.text)
    messages: list[dict[str, Any]] = message["messages"] if message["type"] == "batch" else [message]
    return messages


class Client:
    """Somebody who follows one topic and keeps its own copy of the story, as docs/protocol.md says to."""

    def __init__(self, topic: object, *, has_backpressure: bool = True, actor: Actor = SYSTEM) -> None:
        self.topic = str(topic)
        self.outlet = FakeOutlet(has_backpressure=has_backpressure)
        self.connection = Connection(uuid4().hex[:16], actor, self.outlet, address="", client="")
        self.epoch = ""
        self.cursor = 0
        self.base = 0
        """The copy begins after this seq."""
        self.copy: dict[int, dict[str, Any]] = {}
        self.resets = 0
        self.whispers: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.asked_after: int | None = None
        self.asked_epoch: str | None = None

    async def follow(self, *, after: int | None = None, epoch: str | None = None) -> None:
        """Subscribe and take the answer in. What comes before the answer still belongs to an older subscription."""
        data = {name: value for name, value in (("after", after), ("epoch", epoch)) if value is not None}
        self.asked_after, self.asked_epoch = after, epoch
        await self.connection.take(json.dumps({"type": "subscribe", "id": "s", "topic": self.topic, "data": data}))
        self.apply()

    async def follow_again(self) -> None:
        """Come back with the cursor that is known."""
        await self.follow(after=self.cursor, epoch=self.epoch or None)

    def _check_reason(self, told: dict[str, Any], following: dict[str, Any] | None) -> None:
        """History is never thrown away without need: the epoch is another one, or the cursor is below the floor."""
        cursor, epoch = self.cursor, self.epoch
        if following and following["type"] == "subscribed":
            cursor, epoch = self.asked_after or 0, self.asked_epoch or ""
        is_ahead = not epoch and cursor > told["head"]
        assert told["epoch"] != epoch or told["floor"] > cursor or is_ahead, f"{told} at {epoch} #{cursor}"

    def _go_on_from(self, seq: int) -> None:
        self.copy = {known: event for known, event in self.copy.items() if known <= seq}
        self.base = min(self.base, seq)
        self.cursor = seq

    def apply(self) -> None:
        """Take in what was written, strictly: no event twice, none left out."""
        messages = self.outlet.taken()
        for message, following in zip(messages, [*messages[1:], None], strict=False):
            if "seq" in message:
                assert message["topic"] == self.topic
                assert message["seq"] == self.cursor + 1, f"#{message['seq']} after #{self.cursor}"
                self.cursor = message["seq"]
                self.copy[self.cursor] = message
            elif message["type"] == "reset":
                self._check_reason(message["data"], following)
                self.resets += 1
                self.copy.clear()
                self.epoch = message["data"]["epoch"]
                self.cursor = self.base = message["data"]["head"]
            elif message["type"] == "subscribed":
                self.epoch = message["data"]["epoch"]
                if self.asked_after is None:
                    self.copy.clear()
                    self.cursor = self.base = message["data"]["head"]
                elif message["data"]["recovered"]:
                    self._go_on_from(self.asked_after)
                self.answers.append(message)
            elif "topic" in message and "id" not in message:
                self.whispers.append(message)
            else:
                self.answers.append(message)

    def take_page(self, page: Page) -> None:
        """Apply an answer of `GET /api/v1/events/`."""
        if page.reset:
            self._check_reason({"epoch": page.epoch, "head": page.head, "floor": page.floor}, None)
            self.copy.clear()
            self.cursor = self.base = page.head
        for event in page.events:
            assert event.seq == self.cursor + 1
            self.cursor = event.seq
            self.copy[event.seq] = json.loads(event.encoded)
        self.epoch = page.epoch

    async def credit(self) -> None:
        """Say what has arrived."""
        self.apply()
        await self.connection.take(json.dumps({"type": "received", "data": {self.topic: self.cursor}}))

    @property
    def texts(self) -> list[str]:
        return [self.copy[seq]["data"]["text"] for seq in sorted(self.copy)]
