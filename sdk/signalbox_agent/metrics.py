"""What this agent and its commands cost now."""

import os
from contextlib import suppress

import psutil


class Metrics:
    """Looks at the agent's process and everything below it; CPU is measured between two looks."""

    def __init__(self) -> None:
        self._known: dict[int, psutil.Process] = {}
        self.look()

    def look(self) -> dict[str, float | int]:
        """cpu_percent (100 is one core), rss_bytes, load (of the machine, one minute). What cannot be seen counts 0."""
        cpu, rss, load = 0.0, 0, 0.0
        with suppress(psutil.Error, OSError):
            me = psutil.Process()
            present = {process.pid: process for process in (me, *me.children(recursive=True))}
            self._known = {pid: self._known.get(pid, process) for pid, process in present.items()}
        for process in self._known.values():
            with suppress(psutil.Error, OSError):
                cpu += process.cpu_percent(None)
                rss += process.memory_info().rss
        with suppress(OSError):
            load = os.getloadavg()[0]
        return {"cpu_percent": round(cpu, 1), "rss_bytes": rss, "load": round(load, 2)}
