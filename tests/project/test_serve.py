"""`manage.py serve`, as somebody at a terminal sees it."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.support.processes import ROOT, end, free_port, launch, wait_until
from tests.support.servers import clean_environment

pytestmark = pytest.mark.live


class Terminal:
    """Somebody who starts and stops Signalbox with one data directory and one local agent."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "data"
        self.port = free_port()
        self.output = directory / "output"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Terminal":
        settings = {"DATA_DIR": str(self.data), "PORT": str(self.port), "LOCAL_AGENTS": "1"}
        self.output.write_text("")
        command = [sys.executable, "manage.py", "serve"]
        # As a terminal starts it, whatever the tests themselves were started by.
        hang_up = partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)
        process = launch(command, log=self.output, env=clean_environment() | settings, cwd=ROOT, preexec_fn=hang_up)
        wait_until(lambda: "Ctrl-C" in self.said() or process.poll() is not None, self.said)
        self.process = process
        return self

    def stop(self, sign: int = signal.SIGINT) -> int:
        assert self.process
        return end(self.process, sign, patience=20)

    def said(self) -> str:
        return self.output.read_text()

    def agent(self) -> int:
        """The pid of the local agent, once it runs."""
        lock = self.data / "agents" / "local-1.lock"
        wait_until(lambda: lock.exists() and lock.read_text().strip(), self.said)
        return int(lock.read_text())

    def admin(self) -> httpx.Client:
        """The admin of the first start, who gets the password from the terminal."""
        [line] = [line for line in self.said().splitlines() if "password" in line]
        client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1")
        who = {"username": "admin", "password": line.split("password ")[1].split()[0]}
        access = client.post("/auth/token/", json=who).json()["access"]
        client.headers["Authorization"] = f"Bearer {access}"
        return client

    def runs(self, client: httpx.Client, line: str) -> dict[str, Any]:
        """Have the local agent run this shell line; the command, once it prints."""
        wait_until(lambda: client.get("/agents/").json()["results"], self.said)
        [agent] = client.get("/agents/").json()["results"]
        command = client.post("/commands/", json={"agent": agent["id"], "spec": {"shell": line}}).json()
        log: dict[str, Any] = {"topic": f"terminal.{agent['id']}", "after": 0}
        wait_until(lambda: client.get("/events/", params=log).json()["events"], self.said)
        return command

    def stored(self, command: dict[str, Any]) -> tuple[str, str]:
        """Status and error of a command, as they are in the database."""
        with closing(sqlite3.connect(self.data / "signalbox.sqlite3")) as database:
            question = "SELECT status, error FROM agents_command WHERE id = ?"
            return database.execute(question, [command["id"].replace("-", "")]).fetchone()


def lives(pid: int) -> bool:
    """Is this process at work? One that has ended may wait for somebody to notice."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[[], Terminal]]:
    opened: list[Terminal] = []

    def open_one() -> Terminal:
        (directory := tmp_path / str(len(opened))).mkdir()
        opened.append(Terminal(directory))
        return opened[-1]

    yield open_one
    for one in opened:
        if one.process:
            one.stop(signal.SIGTERM)


def test_a_first_start_makes_all_that_is_needed_and_tells_the_password_once(terminal: Callable[[], Terminal]) -> None:
    box = terminal().start()
    assert f"http://127.0.0.1:{box.port}" in box.said()
    projects = box.admin().get("/projects/").json()
    assert "Check this repository" in [project["name"] for project in projects["results"]]
    assert stat.S_IMODE((box.data / "agents" / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(box.data.stat().st_mode) == 0o700

    agent = box.agent()
    assert box.stop(signal.SIGINT) == 0
    assert not lives(agent)
    assert "Traceback" not in box.said()

    assert "password" not in box.start().said()


def test_agents_outlive_a_crash_and_the_next_start_adopts_them(terminal: Callable[[], Terminal]) -> None:
    box = terminal().start()
    agent = box.agent()
    box.stop(signal.SIGKILL)
    assert lives(agent)

    box.start()
    wait_until(lambda: f"still alive (pid {agent})" in box.said(), box.said)
    assert box.stop(signal.SIGTERM) == 0
    assert not lives(agent)


def test_what_runs_when_it_is_stopped_is_interrupted_and_reported(terminal: Callable[[], Terminal]) -> None:
    box = terminal().start()
    command = box.runs(box.admin(), "echo up; sleep 30")
    assert box.stop(signal.SIGINT) == 0
    assert box.stored(command) == ("interrupted", "The agent was stopped.")


def test_a_closed_terminal_ends_everything_too(terminal: Callable[[], Terminal]) -> None:
    box = terminal().start()
    agent = box.agent()
    assert box.stop(signal.SIGHUP) == 0
    assert not lives(agent)


def test_an_agent_that_dies_is_started_again(terminal: Callable[[], Terminal]) -> None:
    box = terminal().start()
    agent = box.agent()
    os.kill(agent, signal.SIGKILL)
    wait_until(lambda: box.agent() != agent, box.said)
    assert "Agent local-1 ended" in box.said()


def test_a_port_in_use_is_a_sentence_and_an_exit_code(terminal: Callable[[], Terminal]) -> None:
    box = terminal()
    with socket.create_server(("127.0.0.1", box.port)):
        box.start()
        assert box.process and box.process.wait() == 1
    assert f"127.0.0.1 port {box.port}" in box.said() and "make serve PORT=" in box.said()
    assert "Traceback" not in box.said()


def test_one_data_directory_has_one_server(terminal: Callable[[], Terminal]) -> None:
    first, second = terminal().start(), terminal()
    second.data = first.data
    second.start()
    assert second.process and second.process.wait() == 1
    assert f"already runs on {first.data}" in second.said()
