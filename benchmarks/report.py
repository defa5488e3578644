"""A benchmark's outcome: one JSON line for programs, one table row for people."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

HEADER = "| benchmark | Signalbox | beside it | must reach | reached |\n|---|---|---|---|---|"


@dataclass(frozen=True)
class Outcome:
    """What one benchmark measured and whether that is enough."""

    name: str
    signalbox: str
    peer: str
    must: str
    reached: bool
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def json_line(self) -> str:
        """Everything, on one line."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @property
    def row(self) -> str:
        reached = "yes" if self.reached else "**no**"
        return f"| {self.name} | {self.signalbox} | {self.peer} | {self.must} | {reached} |"
