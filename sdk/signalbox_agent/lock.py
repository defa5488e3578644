"""One agent per lock file."""

import fcntl
import os
from pathlib import Path


class Held(Exception):
    """Another process holds the lock; says which."""


class Lock:
    """A file locked for as long as this process lives. It contains the pid of its holder."""

    def __init__(self, path: Path) -> None:
        """Raises Held, or OSError if the file cannot be made."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 32).decode(errors="replace").strip()
            os.close(self._file)
            raise Held(f"{path} is held by another agent{f' (pid {holder})' if holder else ''}.") from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        os.close(self._file)
