"""Commands that outlived their agent: it was killed, and they did not mind that their terminal had gone.

Each running command has a note beside the agent's lock, and a mark in its environment, which its children inherit. The
next agent with that lock ends what is left before it says that it is there: others may try the same again by then.
"""

import logging
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from signalbox_agent import processes

logger = logging.getLogger("signalbox_agent")

MARK = "SIGNALBOX_RUN"
END_SECONDS = 5.0
_AGAIN_SECONDS = 0.05
_SAME_START_SECONDS = 1.0

_directory: Path | None = None


def keep_notes(directory: Path) -> None:
    """Note here what runs, from now on. What earlier notes tell of is ended first. Raises OSError."""
    global _directory
    directory.mkdir(mode=0o700, exist_ok=True)
    notes = {note: note.read_text() for note in directory.iterdir()}
    _end({note.name for note in notes}, notes.values())
    for note in notes:
        note.unlink()
    _directory = directory


def note(mark: str, leader: int) -> None:
    """A command runs: its mark, and the process that leads its session."""
    if not _directory:
        return
    try:
        (_directory / mark).write_text(f"{leader} {psutil.Process(leader).create_time()}")
    except (OSError, psutil.Error) as problem:
        logger.warning("A running command could not be noted: %s", problem)


def strike(mark: str) -> None:
    """It has ended, and so has everything in its session."""
    if _directory:
        with suppress(OSError):
            (_directory / mark).unlink()


def _end(marks: set[str], leaders: Iterable[str]) -> None:
    """Whatever bears one of these marks, and the families of these leaders (pid and start)."""
    until = time.monotonic() + END_SECONDS
    while marks and (left := marked(marks).union(*map(_family, leaders))):
        logger.warning("Ending what an agent that was killed left running: %s", sorted(left))
        if time.monotonic() > until:
            return
        processes.signal_each(left, signal.SIGKILL)
        time.sleep(_AGAIN_SECONDS)


def marked(marks: set[str]) -> set[int]:
    """The living processes that bear one of these marks, wherever they have gone."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):  # gone, or not ours to look at
            if process.environ().get(MARK) in marks:
                found.add(process.pid)
    return found


def _family(leader: str) -> set[int]:
    """Nobody's, when the leader has ended: its pid may be another process's by now."""
    with suppress(psutil.Error, ValueError):
        pid, started = leader.split()
        if abs(psutil.Process(int(pid)).create_time() - float(started)) < _SAME_START_SECONDS:
            return processes.family(int(pid))
    return set()
