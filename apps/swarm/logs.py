"""The log lines of a run, page by page, for programs that poll."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.events import log, wire
from apps.events.models import StoredEvent
from apps.swarm.contract import WorkflowLogged

LIMIT = 500
SCANNED = 10 * LIMIT


@dataclass(slots=True)
class LogPage:
    """Some log lines, and the cursors on both sides of what was looked through; None: nothing more there."""

    topic: str | None
    epoch: str = ""
    head: int = 0
    reset: bool = False
    next_after: int | None = 0
    next_before: int | None = None
    events: list[StoredEvent] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        names = ("topic", "epoch", "head", "reset", "next_after", "next_before")
        return {**{name: getattr(self, name) for name in names}, "logs": [wire.loads(e.encoded) for e in self.events]}


def lines_after(topic: str, after: int, *, epoch: str | None = None, limit: int = LIMIT) -> LogPage:
    """At most `limit` lines above seq `after`, oldest first. A page may be short, or empty, and not the last."""
    page = log.read_after(topic, after, epoch, SCANNED)
    found = _lines(page.events)[:limit]
    seen = page.events[-1].seq if page.events and len(found) < limit else found[-1].seq if found else page.head
    return LogPage(topic, page.epoch, page.head, page.reset, seen, (found[0].seq if found else after + 1), found)


def lines_before(topic: str, before: int, *, limit: int = LIMIT) -> LogPage:
    """The lines just below seq `before`, oldest first; the same for pages going backwards."""
    page = log.read_before(topic, before, SCANNED)
    found = _lines(page.events)[-limit:]
    first = page.events[0].seq if page.events else 0
    if len(_lines(page.events)) > limit:
        first = found[0].seq
    seen = max(0, min(before - 1, page.head))
    return LogPage(topic, page.epoch, page.head, False, seen, first if first > page.floor + 1 else None, found)


def _lines(events: Sequence[StoredEvent]) -> list[StoredEvent]:
    return [event for event in events if event.type == WorkflowLogged.TYPE]
