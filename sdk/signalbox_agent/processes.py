"""Process groups and sessions: who belongs to a command, and how to make them stop."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress

import psutil


def session_members(session: int) -> set[int]:
    """The living processes of a session. Its leader may have ended, as long as nobody has reaped it."""
    members = set()
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == session and not has_ended(pid):
                members.add(pid)
    return members


def descendants(leader: int) -> list[psutil.Process]:
    """A process's children and theirs, also those that made a session of their own."""
    try:
        return psutil.Process(leader).children(recursive=True)
    except psutil.Error:
        return []


def family(leader: int) -> set[int]:
    """A command's processes: its session, and whoever descends from it."""
    return session_members(leader) | {process.pid for process in descendants(leader)}


def living(processes: Iterable[psutil.Process]) -> set[int]:
    """The pids of those that are still the same processes, and alive."""
    return {process.pid for process in processes if process.is_running() and not has_ended(process.pid)}


def signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def signal_each(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def memory_of(pids: Iterable[int]) -> int:
    """Resident bytes of these processes together."""
    total = 0
    for pid in pids:
        with suppress(psutil.Error):
            total += psutil.Process(pid).memory_info().rss
    return total


def has_ended(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
