"""The event that is fanned out, the same bytes for every server, and what a reader of it checks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

# monotonic_ns is one clock for all processes of a machine; fixed width keeps every event the same size.
_STAMP = re.compile(r"sent=(\d{19})")
_LINE = "sent={:019d} \x1b[32mok\x1b[0m compiled 14 of 62 modules, 0 warnings\r\n"


class OutOfOrder(AssertionError):
    """A reader was given events with a hole, twice, or in another order."""


def log_line(at: int) -> str:
    """A line of a build log that carries the time (monotonic ns) at which it was sent."""
    return _LINE.format(at)


def stamps_in(text: str) -> list[int]:
    """The times at which the lines of `text` were sent."""
    return [int(stamp) for stamp in _STAMP.findall(text)]


def envelope(topic: str, seq: int, command_id: str, text: str) -> dict[str, Any]:
    """A `terminal:output` event as Signalbox delivers it; peers are given it ready made."""
    return {
        "type": "terminal:output",
        "topic": topic,
        "seq": seq,
        "timestamp": "2030-01-01T00:00:00.000Z",
        "data": {"command_id": command_id, "offset": seq * len(text), "text": text},
    }


@dataclass(frozen=True, slots=True)
class Delivery:
    """The events of one message: seq `first` … `last` without holes, and when each was sent."""

    first: int
    last: int
    sent: tuple[int, ...]


def delivery_of(events: Iterable[dict[str, Any]]) -> Delivery:
    """What `events` deliver; raises OutOfOrder when their seqs are not consecutive."""
    seqs: list[int] = []
    sent: list[int] = []
    for event in events:
        seqs.append(event["seq"])
        sent += stamps_in(event["data"].get("text", ""))
    if seqs != list(range(seqs[0], seqs[0] + len(seqs))):
        raise OutOfOrder(f"one message holds the seqs {seqs}")
    return Delivery(seqs[0], seqs[-1], tuple(sent))


class Memo:
    """Every distinct message is parsed and checked once; readers that get the same bytes share the result.

    So the generator checks everything and still isn't what is measured. Bounded: old messages are forgotten together.
    """

    def __init__(self, limit: int = 20_000, limit_bytes: int = 64 << 20) -> None:
        self.known: dict[bytes, Delivery] = {}
        self._limit, self._limit_bytes, self._bytes = limit, limit_bytes, 0

    def keep(self, message: bytes, delivery: Delivery) -> None:
        if len(self.known) >= self._limit or self._bytes > self._limit_bytes:
            self.known.clear()
            self._bytes = 0
        self.known[message] = delivery
        self._bytes += len(message)


def loads(text: bytes | str) -> Any:
    return orjson.loads(text)


def dumps(value: Any) -> bytes:
    return orjson.dumps(value)
