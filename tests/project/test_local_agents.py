"""How the agents of an embedded installation are looked after; there is no server for them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from project import local_agents
from project.local_agents import LocalAgents
from tests.support.processes import ROOT, free_port, wait_until


class Keepers:
    """Starts one keeper after the other on one directory, as servers do that are started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.said: list[str] = []
        self.is_full = False
        self.url = f"http://127.0.0.1:{free_port()}"
        self._all: list[LocalAgents] = []

    def start(self, *names: str) -> LocalAgents:
        self._all.append(LocalAgents(list(names), self.directory, self.url, ROOT, self._say))
        self._all[-1].start()
        return self._all[-1]

    def _say(self, text: str) -> None:
        if self.is_full:
            raise OSError("No space left on device")
        self.said.append(text)

    def crash(self) -> None:
        """Nobody looks after the agents any more, and nobody ends them."""
        self._all[-1]._stopping.set()
        self._all[-1]._keeper.join()

    def pid(self, name: str) -> int:
        """The pid of this agent, once it is alive."""
        agent = local_agents.LocalAgent(name, self.directory)
        wait_until(agent.pid, self.everything)
        return agent.pid() or self.pid(name)  # it may just have been ended

    def heard(self, words: str) -> None:
        wait_until(lambda: any(words in text for text in self.said), self.everything)

    def everything(self) -> str:
        return "\n".join(self.said)

    def stop(self) -> None:
        for one in self._all:
            one.stop()


@pytest.fixture
def keepers(tmp_path: Path) -> Iterator[Keepers]:
    (tmp_path / "key").write_text("prefix.secret")
    made = Keepers(tmp_path)
    yield made
    made.stop()


def test_one_that_would_be_started_in_another_way_is_not_adopted(
    keepers: Keepers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOCAL_AGENT_ALLOW", raising=False)
    keepers.start("local-1")
    first = keepers.pid("local-1")
    keepers.crash()
    keepers.start("local-1")
    keepers.heard(f"local-1 is still alive (pid {first})")
    keepers.crash()
    monkeypatch.setenv("LOCAL_AGENT_ALLOW", "git *")
    keepers.start("local-1")
    wait_until(lambda: keepers.pid("local-1") != first, keepers.everything)
    assert psutil.Process(keepers.pid("local-1")).cmdline().count("git *") == 1
    keepers.crash()
    keepers.url = f"http://127.0.0.1:{free_port()}"
    second = keepers.pid("local-1")
    keepers.start("local-1")
    wait_until(lambda: keepers.pid("local-1") != second, keepers.everything)


@pytest.mark.parametrize("own", [None, "/somewhere/else"])
def test_commands_get_nothing_that_is_meant_for_the_server_or_the_agent(
    keepers: Keepers, monkeypatch: pytest.MonkeyPatch, own: str | None
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if own:
        monkeypatch.setenv("PYTHONPATH", own)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "project.settings")
    keepers.start("local-1")
    process = psutil.Process(keepers.pid("local-1"))
    assert process.environ().get("PYTHONPATH") == own
    assert "DJANGO_SETTINGS_MODULE" not in process.environ()
    words = process.cmdline()
    assert words[words.index("--cwd") + 1] == str(ROOT)


def test_one_that_cannot_be_started_does_not_keep_the_others_from_it(keepers: Keepers) -> None:
    log = keepers.directory / "local-1.log"
    log.mkdir()
    keepers.start("local-1", "local-2")
    assert keepers.pid("local-2")
    keepers.heard("local-1 could not be started: [Errno 21] Is a directory")
    shutil.rmtree(log)
    assert keepers.pid("local-1")


def test_they_are_looked_after_when_nothing_can_be_said_nor_adopted(
    keepers: Keepers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(LocalAgents, "_adopt", full)
    keepers.is_full = True
    keepers.start("local-1")
    assert keepers.pid("local-1")
