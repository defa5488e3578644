"""A pseudo-terminal and a process whose only terminal it is."""

import ctypes
import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# Nobody sits at this terminal, so whoever reads from it gets an end of file, and no pager waits for a key.
_END_OF_FILES = b"\x04" * 32  # as many reads as are answered at once
ENVIRONMENT = {
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "FORCE_COLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "MANPAGER": "cat",
    "SYSTEMD_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "PYTHONUNBUFFERED": "1",
}
# Loaded here, since little may be done between fork and exec; it keeps the GIL, which nobody gives back there.
_libc = ctypes.PyDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
_RESET_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGCHLD)


class CannotStart(Exception):
    """The command could not be started; says why in one sentence."""


def open_terminal(cols: int, rows: int) -> tuple[int, int]:
    """A new terminal's (master, slave). The master does not block. Call `offer_end_of_file` every now and then."""
    master, slave = os.openpty()
    os.set_blocking(master, False)
    termios.tcsetwinsize(slave, (rows, cols))
    modes = termios.tcgetattr(slave)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, modes)
    return master, slave


def offer_end_of_file(master: int, slave: int) -> None:
    """See to it that there is one to read: earlier ones were read, or flushed away by who asks for a password."""
    looking = select.poll()
    looking.register(slave, select.POLLIN)
    if not looking.poll(0):
        with suppress(OSError):
            os.write(master, _END_OF_FILES)


def start_in_terminal(
    argv: Sequence[str], *, slave: int, cwd: Path, env: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """Start a process as leader of a session of its own, with `slave` as its terminal. Raises CannotStart."""

    agent = os.getpid()

    def take_the_terminal() -> None:
        if _libc:
            # When we are killed, so is it: somebody else may try the same again. (Linux means the thread that forks,
            # which is the one with the event loop.)
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != agent:
                os.kill(os.getpid(), signal.SIGKILL)
        # An agent started in the background ignores SIGINT; its commands must not.
        for number in _RESET_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    try:
        return subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env=env,
            start_new_session=True,
            preexec_fn=take_the_terminal,
        )
    except FileNotFoundError:
        if not cwd.is_dir():
            raise CannotStart(f"There is no directory {cwd} on this agent.") from None
        raise CannotStart(f"The program {argv[0]!r} was not found on this agent.") from None
    except PermissionError:
        raise CannotStart(f"This agent may not execute {argv[0]!r} in {cwd}.") from None
    except (OSError, ValueError, subprocess.SubprocessError) as problem:
        raise CannotStart(f"{argv[0]!r} could not be started: {problem}.") from problem


def environment(additions: Mapping[str, str]) -> dict[str, str]:
    """The agent's own environment without the agent's secrets, made for a terminal, with additions."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGNALBOX_")}
    return kept | ENVIRONMENT | dict(additions)
