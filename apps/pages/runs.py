"""What the run page says before its script does, in the same words and of the same size, so that nothing jumps."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.events import wire

MOST_ROWS = 8
"""Rows of a lane that static/css/timeline.css knows before the script runs."""
NARROWEST = 0.012
"""A bar is drawn at least this wide, as a fraction of the whole: static/js/runs/lanes.js says the same."""

_ENDED = {"cancelled": "The run was cancelled."}


@dataclass(frozen=True, slots=True)
class Lane:
    """An agent on the timeline, and on how many steps it worked at once."""

    name: str
    rows: int


def lanes_of(run: dict[str, Any], tries: list[dict[str, Any]]) -> list[Lane]:
    """The timeline's lanes: the agents that have or had a step of the run, by name."""
    now = _moment(run["ended_at"]) if run["ended_at"] else wire.now()
    narrowest = NARROWEST * (now - _moment(run["started_at"])).total_seconds()
    worked: dict[str, list[tuple[float, float]]] = {}
    for one in _as_they_are(run, tries):
        spans = worked.setdefault(one["agent"], [])
        if one["started_at"]:
            began = _moment(one["started_at"]).timestamp()
            ended = (_moment(one["ended_at"]) if one["ended_at"] else now).timestamp()
            spans.append((began, max(ended, began + narrowest)))
    return [Lane(name, _rows(worked[name])) for name in sorted(worked, key=_with_numbers)]


def rows_of(run: dict[str, Any]) -> int:
    """How many rows of the timeline room is kept for: it has no more than steps, unless another agent tries again."""
    return min(max(1, run["total"]), MOST_ROWS)


def outcome_of(run: dict[str, Any]) -> str:
    """How far it has come and how it ended, or that it will not end well."""
    why = run["error"]["message"] if run["error"] else ""
    steps = f"{run['done']} of {run['total']} steps"
    if run["status"] == "running":
        return f"{why} What runs comes to its end first; nothing new starts." if why else f"{steps} done."
    steps = f"{steps} in {in_words(_seconds(run))}."
    if run["status"] == "completed":
        return f"Completed: {steps}"
    return f"{why or _ENDED.get(run['status'], 'The run failed.')} It ended after {steps}"


def in_words(seconds: float) -> str:
    """Seconds with as much exactness as they deserve: `0.4 s`, `12 s`, `3:20 min`."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    if seconds < 60:
        return f"{int(seconds)} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


def _as_they_are(run: dict[str, Any], tries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each try once; of the last one of a step, the step itself knows best."""
    known = {(one["step"], one["attempt"]): one for one in tries}
    for stage in run["stages"]:
        for step in stage["steps"]:
            if step["attempt"]:
                before = known.get((step["key"], step["attempt"]), {})
                began = before.get("started_at") or step["started_at"]
                known[step["key"], step["attempt"]] = {**step, "started_at": began}
    return (one for one in known.values() if one["agent"])


def _rows(spans: Iterable[tuple[float, float]]) -> int:
    """How many rows it takes to draw them beside each other where they overlap."""
    free: list[float] = []
    for began, ended in sorted(spans):
        row = next((row for row, at in enumerate(free) if at <= began), None)
        if row is None:
            free.append(ended)
        else:
            free[row] = ended
    return min(max(1, len(free)), MOST_ROWS)


def _seconds(run: dict[str, Any]) -> float:
    return (_moment(run["ended_at"]) - _moment(run["started_at"])).total_seconds()


def _moment(timestamp: str) -> datetime:
    return datetime.fromisoformat(timestamp)


def _with_numbers(name: str) -> list[tuple[int, int, str]]:
    """Sorts `box-2` before `box-10`."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part.lower()) for part in re.split(r"(\d+)", name)]
