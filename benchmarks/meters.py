"""What a process used (from /proc) and what a list of durations says."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int | str = "self") -> float:
    """User and system time of the process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


@dataclass(frozen=True)
class Memory:
    """KiB: `rss` as the system counts it, `pss` with shared pages divided among their users."""

    rss: int
    pss: int


def memory(pid: int) -> Memory:
    """What the process holds now."""
    sizes = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        sizes[name] = int(rest.split()[0])
    return Memory(rss=sizes["Rss"], pss=sizes["Pss"])


def percentile(sorted_values: Sequence[int], share: float) -> float:
    """The value below which `share` (0..1) of the values lie; 0.0 of nothing."""
    if not sorted_values:
        return 0.0
    return float(sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))])


@dataclass(frozen=True)
class Latency:
    """Milliseconds."""

    p50: float
    p99: float
    max: float

    @classmethod
    def of(cls, nanoseconds: Sequence[int]) -> "Latency":
        ordered = sorted(nanoseconds)
        return cls(*(round(percentile(ordered, share) / 1e6, 2) for share in (0.5, 0.99, 1.0)))

    @classmethod
    def median(cls, rounds: Sequence["Latency"]) -> "Latency":
        """The median round, each figure by itself."""
        return cls(*(median(getattr(one, name) for one in rounds) for name in ("p50", "p99", "max")))


class CpuWatch:
    """CPU seconds that a server and this process used since the watch was made."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._server, self._own = cpu_seconds(pid), cpu_seconds()

    @property
    def server(self) -> float:
        return cpu_seconds(self._pid) - self._server

    @property
    def own(self) -> float:
        return cpu_seconds() - self._own
