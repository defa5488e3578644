"""Looking through a topic's log: in which events lies what somebody asks for?

What a program prints is cut into events anywhere, so lines are put together again before they are compared: a line is
found where it begins, wherever it ends. What is printed is compared as people see it (`plain.py`). Where only a screen
could tell, the answer is yes: nothing is missed, and who shows the lines looks again.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from apps.events import declare, store, wire
from apps.events.plain import moves, plain

MOST_SCANNED = 20_000
MOST_SECONDS = 0.15
"""One question reads about so long, so that others get their turn; who asked goes on from `scanned_to`."""
CHUNK = 500
AHEAD = 1_000
AHEAD_BYTES = 4 * store.PAGE_BYTES
"""So much later, a line that has not ended is taken as it is."""
LONGEST_LINE = 256 * 1024
"""Characters. A longer one may have anything in it; what follows them is a line of its own."""

Place = tuple[int, int]
"""The first and the last event of a line, or of some that overlap."""


@dataclass(frozen=True)
class Filter:
    """What is asked for: events of these types, whose fields have these values, with all these texts in one line."""

    types: frozenset[str] = frozenset()
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    match: tuple[str, ...] = ()

    @cached_property
    def needles(self) -> tuple[str, ...]:
        return tuple(text.casefold() for text in self.match)

    @cached_property
    def characters(self) -> frozenset[str]:
        """What a line must at least contain, however it was written over; spaces can come of themselves."""
        return frozenset(character for needle in self.needles for character in needle if not character.isspace())

    def wants(self, data: Mapping[str, Any]) -> bool:
        return all(name in data and _written(data[name]) in values for name, values in self.where.items())

    def is_in(self, printed: str) -> bool:
        """Whether one of these lines may show all that is looked for."""
        if not self.needles:
            return True
        folded = plain(printed).casefold()
        if self._is_in_one(folded):
            return True
        if not moves(printed):
            return False
        return any(moves(line) and self.characters <= frozenset(plain(line).casefold()) for line in printed.split("\n"))

    def _is_in_one(self, folded: str) -> bool:
        if len(self.needles) == 1:
            return self.needles[0] in folded
        if any(needle not in folded for needle in self.needles):
            return False
        return any(all(needle in line for needle in self.needles) for line in folded.split("\n"))


@dataclass(frozen=True, slots=True)
class Found:
    """The seqs of the events in which something asked for lies, and the places of its lines, both in order.

    Every event up to `scanned_to` was looked at, and every line that begins there to its end.
    """

    scanned_to: int
    seqs: list[int]
    places: list[Place]


def find(topic: str, after: int, until: int, wanted: Filter, most: int | None = None) -> Found:
    """Look through the events above `after`, none above `until`, for about MOST_SECONDS.

    With `most`, the seqs are those of a page of so many events; no line is divided, so it may have a few more.
    """
    reading = _Reading(wanted, most)
    give_up = time.monotonic() + MOST_SECONDS
    at, last = after, min(until, after + MOST_SCANNED)
    while at < last and not reading.page.is_full and (at == after or time.monotonic() < give_up):
        at, _ = reading.go_on(topic, at, min(at + CHUNK, last))
    reading.is_ending = True
    ahead, end, spent = at, min(until, at + AHEAD), 0
    while ahead < end and spent < AHEAD_BYTES and reading.is_waiting:
        ahead, size = reading.go_on(topic, ahead, min(ahead + CHUNK, end))
        spent += size
    reading.end()
    scanned_to, seqs = reading.cut(at)
    return Found(scanned_to, seqs, _merged(reading.places))


@dataclass(slots=True)
class _Line:
    """A line that has not ended yet."""

    seqs: list[int]
    is_wanted: bool
    parts: list[str]
    length: int

    def add(self, seq: int, text: str) -> None:
        self.seqs.append(seq)
        self.length += len(text)
        if self.length <= LONGEST_LINE:
            self.parts.append(text)


@dataclass(slots=True)
class _Page:
    """Events that were found. It is full when they are `most`, or as large as a page may be; without `most` never."""

    most: int | None
    seqs: set[int] = field(default_factory=set)
    size: int = 0

    @property
    def is_full(self) -> bool:
        return self.most is not None and (len(self.seqs) >= self.most or self.size >= store.PAGE_BYTES)

    def add(self, seqs: list[int], sizes: Mapping[int, int]) -> None:
        self.size += sum(sizes[seq] for seq in seqs if seq not in self.seqs)
        self.seqs.update(seqs)


class _Reading:
    """Takes events in order, and remembers the lines that each stream has left open."""

    def __init__(self, wanted: Filter, most: int | None) -> None:
        self.page = _Page(most)
        self.places: list[Place] = []
        self.is_ending = False
        """Only what has begun is followed to its end."""
        self._wanted = wanted
        self._open: dict[tuple[str, str], _Line] = {}
        self._lines: list[list[int]] = []
        """The seqs of each line that was found."""
        self._sizes: dict[int, int] = {}

    @property
    def is_waiting(self) -> bool:
        return any(line.is_wanted for line in self._open.values())

    def go_on(self, topic: str, at: int, until: int) -> tuple[int, int]:
        """Take some of the events above `at`: how far that went, and how many characters they had."""
        events, reached = store.stretch(topic, at, until, self._wanted.types)
        for seq, type, data in events:
            self._sizes[seq] = len(data)
            self._take(seq, type, data)
        return reached, sum(len(data) for _, _, data in events)

    def end(self) -> None:
        """What is still open may become what is looked for: its place is named, so that nobody relies on it."""
        for stream, line in list(self._open.items()):
            if line.is_wanted:
                self.places.append((line.seqs[0], line.seqs[-1]))
            self._close(stream)

    def cut(self, at: int) -> tuple[int, list[int]]:
        """As many whole lines as a page takes, in the order in which they begin: up to where, and their events."""
        page = _Page(self.page.most)
        begun = 0
        for line in sorted(self._lines):
            if page.is_full and line[0] > begun:
                return line[0] - 1, sorted(page.seqs)
            begun = line[0]
            page.add(line, self._sizes)
        return at, sorted(page.seqs)

    def _take(self, seq: int, type: str, data: str) -> None:
        payload = wire.loads(data)
        declared = declare.events.get(type)
        if declared is not None and declared.STREAM and payload.get("offset") is not None:
            self._go_on(seq, (type, str(payload[declared.STREAM])), payload)
        elif not self.is_ending and self._wanted.wants(payload) and any(map(self._wanted.is_in, _texts(payload))):
            self._found([seq])

    def _go_on(self, seq: int, stream: tuple[str, str], payload: dict[str, Any]) -> None:
        text: str = payload["text"]
        if payload["offset"] == 0:
            self._close(stream)
        rest = 0
        if (line := self._open.get(stream)) is not None:
            end = text.find("\n")
            line.add(seq, text if end < 0 else text[:end])
            if end < 0 and line.length <= LONGEST_LINE:
                return
            self._close(stream)
            if end < 0:
                return
            rest = end + 1
        if self.is_ending:
            return
        is_wanted = self._wanted.wants(payload)
        begun = text.rfind("\n") + 1
        if is_wanted and begun > rest and self._wanted.is_in(text[rest : begun - 1]):
            self._found([seq])
        if begun < len(text):
            self._open[stream] = _Line([seq], is_wanted, [text[begun:]], len(text) - begun)

    def _close(self, stream: tuple[str, str]) -> None:
        line = self._open.pop(stream, None)
        if line is None or not line.is_wanted:
            return
        if line.length > LONGEST_LINE or self._wanted.is_in("".join(line.parts)):
            self._found(line.seqs)

    def _found(self, seqs: list[int]) -> None:
        self._lines.append(seqs)
        self.page.add(seqs, self._sizes)
        self.places.append((seqs[0], seqs[-1]))


def _texts(value: Any) -> Iterator[str]:
    """Every text in an event's data, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _written(value: Any) -> str:
    """A field's value as one writes it in an address: text as it is, everything else as in JSON."""
    return value if isinstance(value, str) else wire.dumps(value).decode()


def _merged(places: list[Place]) -> list[Place]:
    """The same in order, those that overlap or touch as one."""
    merged: list[Place] = []
    for first, last in sorted(places):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
