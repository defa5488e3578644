"""Runs one command in a pseudo-terminal, from its start to the moment its last process has gone."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil

from signalbox_agent import leftovers, processes
from signalbox_agent.terminal import (
    CannotStart,
    environment,
    offer_end_of_file,
    open_terminal,
    start_in_terminal,
)

GRACE_SECONDS = 3.0
LOOKS, LOOK_AGAIN_SECONDS = 3, 0.03
LINGER_SECONDS = 0.5
READ_BYTES = 64 * 1024
READS_AT_ONCE = 16
OFFER_SECONDS = 0.2
SAMPLE_SECONDS = (0.02, 0.1, 0.3, 2.0)
_ESCALATION = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended. `exit_code` is 128 + the signal's number when a signal ended it."""

    status: str
    exit_code: int | None = None
    error: str = ""
    cpu_seconds: float | None = None
    max_rss_bytes: int | None = None


class Runner:
    """One command in a terminal of its own. `on_output` gets its bytes as they come."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        on_output: Callable[[bytes], None],
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        cols: int = 120,
        rows: int = 40,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._mark = uuid4().hex
        self._argv, self._cwd, self._env = list(argv), cwd, environment(env or {}) | {leftovers.MARK: self._mark}
        self._on_output, self._timeout, self._grace = on_output, timeout, grace
        self._size = (cols, rows)
        self._loop = asyncio.get_running_loop()
        self._process: subprocess.Popen[bytes] | None = None
        self._master = self._slave = -1
        self._is_reading = False
        self._is_paused = False
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._hung_up = asyncio.Event()
        self._ended = asyncio.Event()
        self._stopping: asyncio.Task[None] | None = None
        self._reason = ""
        self._to_stop: list[psutil.Process] = []
        self._peak_rss = 0
        self._own_rss = 0

    async def run(self) -> Outcome:
        """Start it, wait until it has ended and all its output was read, and clear up what it left behind."""
        if self._reason:
            return Outcome("interrupted", error="Interrupted before it started.")
        try:
            self._start()
        except CannotStart as problem:
            return Outcome("failed", error=str(problem))
        helpers = [asyncio.create_task(work) for work in (self._wait_for_exit(), self._offer(), self._sample())]
        timer = self._loop.call_later(self._timeout, self.stop, "timeout") if self._timeout else None
        try:
            await self._ended.wait()
            self._let_go()
            await self._read_the_rest()
        finally:
            if timer:
                timer.cancel()
            for helper in (*helpers, self._stopping):
                if helper:
                    helper.cancel()
            outcome = self._reap()
        return outcome

    def interrupt(self) -> None:
        """Ask the command to stop: SIGINT, then SIGTERM, then SIGKILL, three seconds apart."""
        self.stop("interrupt")

    def stop(self, reason: str) -> None:
        """The same for a reason: "interrupt" or "timeout". Asking again changes nothing."""
        # After the leader's end there is something to stop only while others wait for us to read on.
        if self._reason or (self._ended.is_set() and not self._is_paused):
            return
        self._reason = reason
        self._may_read.set()
        if self._process and not self._ended.is_set():
            self._stopping = asyncio.create_task(self._escalate())

    def kill(self) -> None:
        """End it without any grace."""
        self.stop("interrupt")
        if self._process and not self._ended.is_set():
            processes.signal_each(processes.family(self._process.pid), signal.SIGKILL)

    def pause(self, is_paused: bool) -> None:
        """Let the terminal fill up, so that the command waits, or read on."""
        self._is_paused = is_paused
        if is_paused:
            self._may_read.clear()
        else:
            self._may_read.set()
        self._read_if_wanted()

    # Start and end ----------------------------------------------------------------------------------

    def _start(self) -> None:
        self._own_rss = processes.memory_of([os.getpid()])
        self._master, self._slave = open_terminal(*self._size)
        try:
            self._process = start_in_terminal(self._argv, slave=self._slave, cwd=self._cwd, env=self._env)
        except CannotStart:
            self._let_go()
            os.close(self._master)
            raise
        leftovers.note(self._mark, self._process.pid)
        self._read_if_wanted()

    async def _wait_for_exit(self) -> None:
        """Notice the leader's end without reaping it: its pid must stay ours while we look for what it left."""
        assert self._process
        try:
            descriptor = os.pidfd_open(self._process.pid)
        except (AttributeError, OSError):  # Not Linux, or one that forbids it.
            while not processes.has_ended(self._process.pid):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            self._ended.set()
            return
        try:
            self._loop.add_reader(descriptor, self._ended.set)
            await self._ended.wait()
        finally:
            self._loop.remove_reader(descriptor)
            os.close(descriptor)

    async def _offer(self) -> None:
        """Have an end of file ready for as long as the command lives."""
        while self._slave >= 0:
            offer_end_of_file(self._master, self._slave)
            await asyncio.sleep(OFFER_SECONDS)

    def _let_go(self) -> None:
        """Close our own end of the command's side: the terminal hangs up when the last one is closed."""
        if self._slave >= 0:
            os.close(self._slave)
            self._slave = -1

    async def _escalate(self) -> None:
        assert self._process
        self._to_stop = processes.descendants(self._process.pid)
        for number in _ESCALATION:
            processes.signal_group(self._process.pid, number)
            processes.signal_group(self._process.pid, signal.SIGCONT)
            if number is not signal.SIGINT:
                family = processes.family(self._process.pid)
                processes.signal_each(family | leftovers.marked({self._mark}), number)
            elif (foreground := self._foreground_group()) not in (None, self._process.pid):
                processes.signal_group(foreground, number)
            await asyncio.sleep(self._grace)

    def _foreground_group(self) -> int | None:
        """The process group that Ctrl-C would reach, when an interactive shell made one of its own."""
        try:
            group = os.tcgetpgrp(self._master)
        except OSError:
            return None
        return group if group > 1 else None

    async def _read_the_rest(self) -> None:
        """Everything that is still in the terminal; a background process that holds it open is ended."""
        # Who still writes gets its time while we read: as long as we do not, it is held up by us.
        while not self._hung_up.is_set() and self._left():
            if not self._reason:
                await self._may_read.wait()
            await self._hang_up_within(LINGER_SECONDS)
            if self._reason or not self._is_paused:
                break
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL):
            if not await self._is_anybody_left():
                break
            processes.signal_each(self._left(), signal.SIGCONT)
            processes.signal_each(self._left(), number)
            for _ in range(20):
                await asyncio.sleep(0.02)
                if not self._left():
                    break
        if not self._hung_up.is_set():
            # Nobody of this session writes any more, so what is left is what fits into the terminal.
            self._is_paused = False
            self._read_if_wanted()
            await self._hang_up_within(LINGER_SECONDS)

    async def _is_anybody_left(self) -> bool:
        """Who is becoming another program bears no mark for a moment, so who sees nobody looks again."""
        for look in range(LOOKS if self._reason else 1):
            if look:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
            if self._left():
                return True
        return False

    def _left(self) -> set[int]:
        """Who is left of the session; after an interrupt, also of those who had left the session or the family."""
        assert self._process
        left = processes.session_members(self._process.pid) | processes.living(self._to_stop)
        if self._reason:
            left |= leftovers.marked({self._mark})
        return left - {self._process.pid}

    async def _hang_up_within(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hung_up.wait()

    def _reap(self) -> Outcome:
        assert self._process
        if not self._ended.is_set():  # We were cancelled ourselves.
            processes.signal_each(processes.family(self._process.pid), signal.SIGKILL)
        self._let_go()
        self._close_master()
        _, status, usage = os.wait4(self._process.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self._process.returncode = code
        leftovers.strike(self._mark)
        return Outcome(
            *self._verdict(code),
            cpu_seconds=round(usage.ru_utime + usage.ru_stime, 3),
            max_rss_bytes=self._most_memory(usage.ru_maxrss) or None,
        )

    def _most_memory(self, reported: int) -> int:
        """In bytes. What the kernel reports counts only above our own size, since a child starts as our copy."""
        reported *= 1 if sys.platform == "darwin" else 1024
        return max(self._peak_rss, reported if reported > 1.1 * self._own_rss else 0)

    def _verdict(self, code: int) -> tuple[str, int, str]:
        shown = 128 - code if code < 0 else code
        ended_by = f"Ended by {_signal_name(-code)}." if code < 0 else ""
        match self._reason:
            case "interrupt":
                return "interrupted", shown, ended_by
            case "timeout":
                return "failed", shown, f"Timed out after {self._timeout:g} s."
        return ("succeeded" if code == 0 else "failed"), shown, ended_by

    # Output -------------------------------------------------------------------------------------------

    def _read_if_wanted(self) -> None:
        wanted = self._master >= 0 and not self._is_paused and not self._hung_up.is_set()
        if wanted and not self._is_reading:
            self._loop.add_reader(self._master, self._read)
        elif self._is_reading and not wanted:
            self._loop.remove_reader(self._master)
        self._is_reading = wanted

    def _read(self) -> None:
        for _ in range(READS_AT_ONCE):
            try:
                data = os.read(self._master, READ_BYTES)
            except BlockingIOError:
                return
            except OSError:  # EIO: the last process has closed the terminal.
                data = b""
            if not data:
                self._hung_up.set()
                self._read_if_wanted()
                return
            self._on_output(data)
            if self._is_paused:
                return

    def _close_master(self) -> None:
        self._hung_up.set()
        self._read_if_wanted()
        os.close(self._master)
        self._master = -1

    async def _sample(self) -> None:
        """Remember the most memory that the command's processes had together."""
        assert self._process
        waits = iter(SAMPLE_SECONDS)
        while True:
            await asyncio.sleep(next(waits, SAMPLE_SECONDS[-1]))
            self._peak_rss = max(self._peak_rss, processes.memory_of(processes.session_members(self._process.pid)))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
