"""What a process used (from /proc) and what a list of durations says."""

import os
import resource
import time
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
        return cls(*(round(median(getattr(one, name) for one in rounds), 2) for name in ("p50", "p99", "max")))


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


class Bystanders:
    """How many of the machine's cores were busy with something else since the watch was made.

    Ask when all servers that were started have ended: only then is their time known.
    """

    def __init__(self) -> None:
        self._started_at = time.monotonic()
        self._busy, self._ours = _machine_seconds(), _our_seconds()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started_at

    @property
    def cores(self) -> float:
        elsewhere = (_machine_seconds() - self._busy) - (_our_seconds() - self._ours)
        return max(0.0, elsewhere / self.seconds)


def _machine_seconds() -> float:
    user, nice, system, _idle, _iowait, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / _TICK


def _our_seconds() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
