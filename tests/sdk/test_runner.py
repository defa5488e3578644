import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from signalbox_agent import leftovers
from signalbox_agent.processes import has_ended, session_members
from signalbox_agent.runner import LINGER_SECONDS, Outcome, Runner

STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""

ASK = """
import getpass, sys, termios, time
time.sleep(0.1)
termios.tcflush(0, termios.TCIFLUSH)
assert sys.stdin.read() == ""
try:
    getpass.getpass()
except EOFError:
    print("EOFError")
"""


class Run:
    """A runner and what it printed."""

    def __init__(self, *argv: str, **options: Any) -> None:
        self.printed = bytearray()
        self.first = asyncio.Event()
        self.runner = Runner(argv, on_output=self._take, **{"cwd": Path("/"), "grace": 0.3, **options})

    def _take(self, data: bytes) -> None:
        self.printed += data
        self.first.set()

    @property
    def text(self) -> str:
        return self.printed.decode().replace("\r\n", "\n")

    async def outcome(self) -> Outcome:
        return await asyncio.wait_for(self.runner.run(), 20)


async def test_a_command_runs_in_a_terminal_of_the_asked_size():
    run = Run("sh", "-c", "tty >/dev/null && stty size && test -t 0 && test -t 1 && test -t 2 && echo $TERM", cols=99)
    assert (await run.outcome()).status == "succeeded"
    assert run.text == "40 99\nxterm-256color\n"


async def test_it_is_the_leader_of_its_own_session_with_this_terminal():
    run = Run(
        sys.executable, "-c", "import os; print(os.getsid(0) == os.getpid() == os.tcgetpgrp(0)); open('/dev/tty')"
    )
    assert (await run.outcome()).exit_code == 0
    assert run.text == "True\n"


async def test_who_reads_from_the_terminal_gets_an_end_of_file():
    run = Run("sh", "-c", "cat; read answer || echo nobody")
    assert (await run.outcome()).status == "succeeded"
    assert run.text == "nobody\n"


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("sh", "-c", "for i in $(seq 70); do cat; done; echo done"), "done\n"),
        ((sys.executable, "-c", ASK), "EOFError\n"),
    ],
)
async def test_it_gets_one_however_often_it_reads_and_flushes(words, printed):
    run = Run(*words)
    started = time.monotonic()
    assert (await run.outcome()).status == "succeeded"
    assert run.text.endswith(printed)
    assert time.monotonic() - started < 8


async def test_no_pager_waits_for_a_key(tmp_path):
    run = Run("sh", "-c", "git init -q . && git -c core.pager= help -a >/dev/null; git help -a | wc -l", cwd=tmp_path)
    assert (await run.outcome()).status == "succeeded"


async def test_colours_are_kept():
    run = Run("printf", r"\033[31mred\033[0m")
    await run.outcome()
    assert run.text == "\x1b[31mred\x1b[0m"


async def test_exit_code_and_cost_are_reported():
    work = "import time; x = bytearray(b'x') * 120_000_000\nfor _ in range(3_000_000): pass\ntime.sleep(.2); exit(7)"
    run = Run(sys.executable, "-c", work)
    outcome = await run.outcome()
    assert (outcome.status, outcome.exit_code, outcome.error) == ("failed", 7, "")
    assert outcome.cpu_seconds and outcome.cpu_seconds > 0.02
    assert outcome.max_rss_bytes and outcome.max_rss_bytes > 40_000_000  # the kernel may have paged some of it out


async def test_the_agents_own_secrets_are_not_passed_on(monkeypatch):
    monkeypatch.setenv("SIGNALBOX_KEY", "secret")
    run = Run("env", env={"STAGE": "two words"})
    await run.outcome()
    assert "SIGNALBOX_KEY" not in run.text
    assert "STAGE=two words" in run.text


async def test_a_program_that_is_not_there_fails_with_a_sentence():
    assert await Run("no-such-program").outcome() == Outcome(
        "failed", error="The program 'no-such-program' was not found on this agent."
    )


async def test_a_directory_that_is_not_there_fails_with_a_sentence(tmp_path):
    outcome = await Run("true", cwd=tmp_path / "gone").outcome()
    assert outcome == Outcome("failed", error=f"There is no directory {tmp_path / 'gone'} on this agent.")


async def test_a_file_that_cannot_be_executed_fails_with_a_sentence(tmp_path):
    (tmp_path / "notes.txt").write_text("not a program")
    outcome = await Run(str(tmp_path / "notes.txt")).outcome()
    assert outcome.status == "failed"
    assert "may not execute" in outcome.error


async def test_a_signal_that_ended_it_is_named():
    outcome = await Run("sh", "-c", "kill -SEGV $$").outcome()
    assert (outcome.status, outcome.exit_code, outcome.error) == ("failed", 139, "Ended by SIGSEGV.")


async def test_an_interrupt_is_a_ctrl_c():
    run = Run("sleep", "30")
    asyncio.get_running_loop().call_later(0.1, run.runner.interrupt)
    assert await run.outcome() == Outcome("interrupted", 130, "Ended by SIGINT.", *_cost(run))


async def test_a_command_that_ignores_signals_is_killed_in_the_end():
    run = Run(sys.executable, "-c", STUBBORN)
    running = asyncio.create_task(run.outcome())
    await run.first.wait()
    started = time.monotonic()
    run.runner.interrupt()
    outcome = await running
    assert (outcome.status, outcome.exit_code) == ("interrupted", 137)
    assert 0.6 <= time.monotonic() - started < 3


async def test_an_interrupt_reaches_the_whole_family():
    run = Run("sh", "-c", f"{sys.executable} -c '{STUBBORN}' & setsid sleep 61 & echo $!; wait; sleep 62")
    running = asyncio.create_task(run.outcome())
    await run.first.wait()
    leader = run.runner._process.pid
    await asyncio.sleep(0.3)
    children = psutil.Process(leader).children(recursive=True)
    assert len(children) == 2
    run.runner.interrupt()
    assert (await running).status == "interrupted"
    assert all(has_ended(child.pid) for child in children)  # also the one with a session of its own
    assert not session_members(leader)


@pytest.fixture
def daemon(tmp_path):
    """A shell line that leaves a daemon: with a session of its own, and a parent that has ended. And its pid."""
    note = tmp_path / "daemon"
    yield f"(setsid sh -c 'echo $$ > {note}.new; mv {note}.new {note}; exec sleep 69' &)", note
    with contextlib.suppress(OSError):
        os.kill(int(note.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("then", ["sleep 69", f"exec {sys.executable} -c '{STUBBORN}'"])
async def test_an_interrupt_reaches_a_daemon(daemon, then):
    line, note = daemon
    run = Run("sh", "-c", f"{line}; {then}")
    running = asyncio.create_task(run.outcome())
    while not note.exists():
        await asyncio.sleep(0.05)
    run.runner.interrupt()
    assert (await running).status == "interrupted"
    assert has_ended(int(note.read_text()))


async def test_an_interrupt_reaches_a_daemon_that_is_becoming_another_program(daemon, monkeypatch):
    """The kernel shows no environment of it for a moment."""
    line, note = daemon
    looks = []

    def marked(marks):
        looks.append(time.monotonic())
        return look(marks) if looks[-1] - looks[0] > 0.02 else set()

    look = leftovers.marked
    monkeypatch.setattr(leftovers, "marked", marked)
    run = Run("sh", "-c", f"{line}; sleep 69")
    running = asyncio.create_task(run.outcome())
    while not note.exists():
        await asyncio.sleep(0.05)
    run.runner.interrupt()
    assert (await running).status == "interrupted"
    assert has_ended(int(note.read_text()))


async def test_a_daemon_stays_when_its_command_ends_by_itself(daemon):
    line, note = daemon
    run = Run("sh", "-c", f"{line}; until [ -e {note} ]; do sleep 0.05; done")
    assert (await run.outcome()).status == "succeeded"
    assert not has_ended(int(note.read_text()))


async def test_a_timeout_stops_it_and_is_no_success():
    outcome = await Run("sh", "-c", "trap 'exit 0' INT; sleep 30", timeout=0.3).outcome()
    assert (outcome.status, outcome.error) == ("failed", "Timed out after 0.3 s.")


async def test_what_a_command_leaves_behind_does_not_keep_it_and_is_ended():
    run = Run("sh", "-c", "sleep 63 & echo $!")
    started = time.monotonic()
    assert (await run.outcome()).status == "succeeded"
    assert time.monotonic() - started < 4
    assert has_ended(int(run.text))


async def test_a_big_burst_arrives_whole_although_characters_are_split_over_reads():
    run = Run("sh", "-c", f"{sys.executable} -c \"print('aé€😀' * 500_000, end='')\"")
    await run.outcome()
    assert run.printed.decode() == "aé€😀" * 500_000


async def test_a_paused_command_waits_and_loses_nothing():
    run = Run(sys.executable, "-c", "print('x' * 1_000_000)")
    run.runner.pause(True)
    running = asyncio.create_task(run.outcome())
    await asyncio.sleep(0.5)
    assert not run.printed and not running.done()
    run.runner.pause(False)
    await running
    assert len(run.text) == 1_000_001


async def test_what_was_printed_just_before_the_end_is_read_even_while_paused():
    run = Run("echo", "last words")
    run.runner.pause(True)
    await run.outcome()
    assert run.text == "last words\n"


async def test_who_still_writes_after_the_end_of_the_command_loses_nothing_while_it_is_paused():
    run = Run("sh", "-c", f"trap '' HUP; {sys.executable} -c \"print('x' * 200_000)\" & exit 0")
    run.runner.pause(True)
    running = asyncio.create_task(run.outcome())
    await run.runner._ended.wait()
    await asyncio.sleep(4 * LINGER_SECONDS)
    assert not running.done()
    run.runner.pause(False)
    assert (await running).status == "succeeded"
    assert len(run.text) == 200_001


async def test_who_still_writes_after_the_end_of_a_paused_command_can_be_interrupted():
    run = Run("sh", "-c", "trap '' HUP; yes & exit 0")
    run.runner.pause(True)
    running = asyncio.create_task(run.outcome())
    await run.runner._ended.wait()
    await asyncio.sleep(0.1)
    run.runner.interrupt()
    assert (await running).status == "interrupted"
    assert not session_members(run.runner._process.pid)


async def test_the_loop_is_not_blocked_while_it_runs():
    run = Run("sh", "-c", "yes | head -c 3000000")
    running = asyncio.create_task(run.outcome())
    longest = 0.0
    while not running.done():
        before = time.monotonic()
        await asyncio.sleep(0.001)
        longest = max(longest, time.monotonic() - before)
    assert longest < 0.5


async def test_cancelled_it_leaves_no_process():
    run = Run("sleep", "64")
    running = asyncio.create_task(run.outcome())
    await asyncio.sleep(0.2)
    pid = run.runner._process.pid
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not psutil.pid_exists(pid)


async def test_no_descriptor_is_left_open():
    before = psutil.Process().num_fds()
    for argv in (("true",), ("no-such-program",), ("sh", "-c", "sleep 65 &")):
        await Run(*argv).outcome()
    assert psutil.Process().num_fds() == before


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
async def test_an_interactive_shells_job_is_interrupted_too():
    run = Run("bash", "-ic", "echo up; sleep 66")
    running = asyncio.create_task(run.outcome())
    await run.first.wait()
    await asyncio.sleep(0.2)
    run.runner.interrupt()
    assert (await running).status == "interrupted"


def _cost(run: Run) -> tuple[float | None, int | None]:
    return pytest.approx(0, abs=1), _Any()  # type: ignore[return-value]


class _Any:
    def __eq__(self, other: object) -> bool:
        return True
