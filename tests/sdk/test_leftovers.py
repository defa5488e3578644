import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from signalbox_agent import leftovers
from signalbox_agent.processes import has_ended
from signalbox_agent.runner import Runner

from tests.sdk.server import ScriptedServer
from tests.sdk.test_cli import start

DEAF = "import signal, time; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('up', flush=True); time.sleep(67)"
FAMILY = f"""{sys.executable} -c "{DEAF}" & echo $!; setsid {sys.executable} -c "{DEAF}" & echo $!; echo $$; wait"""


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "68"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


@pytest.fixture(autouse=True)
def _notes_of_this_test_only(monkeypatch):
    monkeypatch.setattr(leftovers, "_directory", None)


async def test_a_killed_agents_commands_are_ended_before_the_next_one_says_that_it_is_there(
    scripted: ScriptedServer, tmp_path
):
    options = ("--lock", str(tmp_path / "lock"), "--url", scripted.url, "--name", "one", "--allow-all")
    first = await start(*options, SIGNALBOX_KEY="k")
    await scripted.until(lambda: scripted.of("agent:connect"), 15)
    await scripted.request("c", shell=FAMILY)
    await scripted.until(lambda: scripted.text("c").count("up") == 2, 15)
    pids = [int(word) for word in scripted.text("c").split() if word.isdigit()]
    assert len(pids) == 3 and not any(map(has_ended, pids))
    first.kill()
    await first.wait()
    if sys.platform == "linux":
        await scripted.until(lambda: has_ended(pids[2]))
    alive_at_connect = []
    answer = scripted.answer

    def look(frame):
        if frame["type"] == "agent:connect":
            alive_at_connect.append([pid for pid in pids if not has_ended(pid)])
        return answer(frame)

    scripted.answer = look
    second = await start(*options, SIGNALBOX_KEY="k")
    try:
        await scripted.until(lambda: alive_at_connect, 15)
        assert alive_at_connect == [[]]
    finally:
        second.terminate()
        await asyncio.wait_for(second.communicate(), 10)
    assert list((tmp_path / "lock.running").iterdir()) == []


async def test_a_command_is_noted_while_it_runs(tmp_path):
    leftovers.keep_notes(tmp_path)
    running = asyncio.create_task(Runner(["sleep", "0.3"], cwd=Path("/"), on_output=lambda _: None).run())
    await asyncio.sleep(0.1)
    [note] = tmp_path.iterdir()
    leader = psutil.Process(int(note.read_text().split()[0]))
    assert leader.environ()[leftovers.MARK] == note.name
    assert (await running).status == "succeeded"
    assert list(tmp_path.iterdir()) == []


def test_a_leader_without_the_mark_is_known_by_its_pid_and_its_start(tmp_path, sleeper):
    started = psutil.Process(sleeper.pid).create_time()
    (tmp_path / "m").write_text(f"{sleeper.pid} {started - 60}")
    leftovers.keep_notes(tmp_path)
    assert sleeper.poll() is None
    (tmp_path / "m").write_text(f"{sleeper.pid} {started}")
    leftovers.keep_notes(tmp_path)
    assert sleeper.wait(5) == -9


@pytest.mark.parametrize("note", ["", "x", "1 x", f"{2**40} 0.0", "{us} 0.0"])
def test_an_odd_note_harms_nobody(tmp_path, note):
    (tmp_path / "m").write_text(note.format(us=os.getpid()))
    leftovers.keep_notes(tmp_path)
    assert list(tmp_path.iterdir()) == []
