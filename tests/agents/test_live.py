"""A real agent process at a real server, through whatever happens to either."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT, end, launch

COUNT = 'import time\nfor n in range(150): print("line", n, flush=True); time.sleep(0.02)'
COUNTED = "".join(f"line {n}\r\n" for n in range(150))


class Person:
    """Somebody at the REST door."""

    def __init__(self, api: Any) -> None:
        self.api = api

    async def agent(self, name: str, *, status: str = "online", seconds: float = 20) -> dict[str, Any]:
        """The agent of this name, once it has this status."""
        for _ in range(int(seconds / 0.1)):
            agents = (await self.api.get("/api/v1/agents/")).json()["results"]
            for agent in agents:
                if (agent["name"], agent["status"]) == (name, status):
                    return agent
            await asyncio.sleep(0.1)
        raise AssertionError(f"{name} is not {status} within {seconds} s: {agents}")

    async def command(self, agent: dict[str, Any], **spec: Any) -> str:
        response = await self.api.post("/api/v1/commands/", json={"agent": agent["id"], "spec": spec})
        assert response.status_code == 201, response.text
        return response.json()["id"]

    async def ended(self, id: str, seconds: float = 30) -> dict[str, Any]:
        for _ in range(int(seconds / 0.1)):
            command = (await self.api.get(f"/api/v1/commands/{id}/")).json()
            if command["ended_at"]:
                return command
            await asyncio.sleep(0.1)
        raise AssertionError(f"not over within {seconds} s: {command}")

    async def printed(self, agent: dict[str, Any], id: str) -> str:
        """What a command printed, from the log; fails when a number or a piece is missing or in the wrong place."""
        events = await self.api.events(agent["terminal"])
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        text = ""
        for event in (event["data"] for event in events):
            if event["command_id"] == id:
                assert event["offset"] == len(text)
                text += event["text"]
        return text


@pytest.fixture
async def hire(server, agent_key, tmp_path: Path) -> AsyncIterator[Callable[..., subprocess.Popen[bytes]]]:
    """`hire("worker")`: a real agent process that allows everything."""
    started = []

    def start(name: str, *args: str) -> subprocess.Popen[bytes]:
        command = [*(sys.executable, "-m", "signalbox_agent", "--name", name, "--cwd", str(tmp_path)), *args]
        env = os.environ | {
            "PYTHONPATH": str(ROOT / "sdk"),
            "SIGNALBOX_URL": server.url,
            "SIGNALBOX_KEY": agent_key.token,
        }
        started.append(launch([*command, "--allow-all"], log=tmp_path / f"{name}.log", env=env))
        return started[-1]

    yield start
    for process in started:
        end(process)


async def test_a_command_is_run_and_seen_as_it_prints(server, hire, api, bob, connect):
    hire("worker", "--label", "local")
    person = Person(api(bob))
    agent = await person.agent("worker")
    watcher = await connect(bob, follow=agent["terminal"], after=0)
    id = await person.command(agent, shell="printf '\\033[32mone\\033[0m\\n'; sleep 0.3; echo två; exit 3")
    first, second = await watcher.events(2)
    assert first["data"] == {"command_id": id, "offset": 0, "text": "\x1b[32mone\x1b[0m\r\n"}
    assert second["data"]["text"] == "två\r\n"
    command = await person.ended(id)
    assert (command["status"], command["exit_code"]) == ("failed", 3)
    assert command["cpu_seconds"] >= 0


async def test_an_interrupt_from_the_socket_is_verified_step_by_step(server, hire, api, bob, connect):
    hire("worker")
    person = Person(api(bob))
    agent = await person.agent("worker")
    watcher = await connect(bob, follow=agent["terminal"], after=0)
    id = await person.command(agent, shell="echo up; sleep 60; echo never")
    await watcher.events(1)
    await asyncio.sleep(0.2)
    assert (await watcher.ask("command:interrupt", agent["topic"], command_id=id))["type"] == "ack"
    command = await person.ended(id)
    assert command["status"] == "interrupted"
    steps = [command[f"interrupt_{step}_at"] for step in ("sent", "delivered", "acknowledged", "stopped")]
    assert None not in steps and steps == sorted(steps)


async def test_a_command_for_an_agent_that_is_away_waits_for_it(server, hire, api, bob):
    person = Person(api(bob))
    process = hire("worker")
    agent = await person.agent("worker")
    process.send_signal(signal.SIGTERM)
    await person.agent("worker", status="offline")
    id = await person.command(agent, argv=["echo", "here"])
    hire("worker")
    assert (await person.ended(id))["status"] == "succeeded"
    assert await person.printed(agent, id) == "here\r\n"


@pytest.mark.own_server()
async def test_the_log_is_whole_although_the_server_was_killed(server, hire, api, bob):
    hire("worker")
    person = Person(api(bob))
    agent = await person.agent("worker")
    id = await person.command(agent, argv=[sys.executable, "-c", COUNT])
    for _ in range(2):
        await asyncio.sleep(0.7)
        server.kill9()
        await asyncio.sleep(0.3)
        server.start()
    command = await person.ended(id, 60)
    assert (command["status"], command["exit_code"]) == ("succeeded", 0)
    assert await person.printed(agent, id) == COUNTED


@pytest.mark.own_server()
@pytest.mark.variants("uvicorn")
async def test_what_ended_while_the_server_was_down_is_reported(server, hire, api, bob):
    hire("worker")
    person = Person(api(bob))
    agent = await person.agent("worker")
    id = await person.command(agent, shell="echo one; sleep 1; echo two; exit 4")
    await asyncio.sleep(0.5)
    server.terminate()
    await asyncio.sleep(1.5)
    server.start()
    assert (await person.ended(id))["exit_code"] == 4
    assert await person.printed(agent, id) == "one\r\ntwo\r\n"


@pytest.mark.own_server(AGENT_LEASE_SECONDS="2")
@pytest.mark.variants("uvicorn")
async def test_an_agent_that_vanishes_loses_what_it_ran(server, hire, api, bob):
    process = hire("worker")
    person = Person(api(bob))
    agent = await person.agent("worker")
    id = await person.command(agent, shell="echo $$; sleep 60")
    await asyncio.sleep(0.5)
    process.kill()
    await person.agent("worker", status="away")
    command = await person.ended(id)
    assert (command["status"], command["error"]) == ("lost", "The agent vanished.")
    await person.agent("worker", status="offline")


@pytest.mark.own_server(AGENT_LEASE_SECONDS="6")
@pytest.mark.variants("uvicorn-sqlite")
async def test_a_server_that_stood_still_loses_no_command(server, hire, api, bob, tmp_path):
    hire("worker")
    person = Person(api(bob))
    agent = await person.agent("worker")
    id = await person.command(agent, shell="echo once >> ran; until [ -e enough ]; do sleep 0.1; done")
    await asyncio.sleep(0.5)
    os.kill(server.pid, signal.SIGSTOP)
    await asyncio.sleep(8)
    os.kill(server.pid, signal.SIGCONT)
    await asyncio.sleep(3)  # It sweeps meanwhile.
    (tmp_path / "enough").touch()
    assert (await person.ended(id))["status"] == "succeeded"
    assert (tmp_path / "ran").read_text() == "once\n"


@pytest.mark.variants("uvicorn-sqlite")
async def test_the_second_process_of_a_name_takes_over_and_the_first_one_ends(server, hire, api, bob):
    first = hire("worker")
    person = Person(api(bob))
    agent = await person.agent("worker")
    id = await person.command(agent, shell="sleep 60")
    await asyncio.sleep(0.5)
    hire("worker")
    command = await person.ended(id)
    assert (command["status"], command["error"]) == ("lost", "The agent was started anew.")
    assert await asyncio.to_thread(first.wait, 20) == 4
    assert (await person.agent("worker"))["id"] == agent["id"]
