"""Process groups and sessions: who belongs to a command, and how to make them stop."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress

import psutil


def session_members(session: int) -> set[int]:
    """The processes of a session. Its leader may have ended, as long as nobody has reaped it."""
    members = set()
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == session:
                members.add(pid)
    return members


def family(leader: int) -> set[int]:
    """A command's processes: its session, and children that made a session of their own."""
    members = session_members(leader)
    with suppress(psutil.Error):
        members |= {child.pid for child in psutil.Process(leader).children(recursive=True)}
    return members


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
    """Whether a child has ended and waits to be reaped (or was)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
