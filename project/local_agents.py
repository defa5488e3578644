"""The agents of an embedded installation: processes of their own that outlive a crash of the server.

An agent holds a lock on `<name>.lock` for as long as it lives and writes its pid there. The lock alone says whether it
is alive: a server that starts after a crash finds the agents of the one before, and adopts them.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

GIVE_UP_SECONDS = 600
LARGEST_LOG = 5_000_000  # bytes
_LOOK_EVERY = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_STOP_SECONDS = 10
_FOR_THE_SERVER = {
    *(
        "SECRET_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "ADMIN_USERNAME",
        "ADMIN_PASSWORD",
        "METRICS_TOKEN",
        "PORT",
        "DATA_DIR",
        "DJANGO_SETTINGS_MODULE",
    ),
    *("MAKEFLAGS", "MAKELEVEL", "MFLAGS"),
}


class LocalAgent:
    """One agent process, found by its lock."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.lock = directory / f"{name}.lock"
        self.log = directory / f"{name}.log"
        self.manner = directory / f"{name}.manner"
        self.process: subprocess.Popen[bytes] | None = None
        self._pause = _FIRST_PAUSE
        self._not_before = 0.0

    def pid(self) -> int | None:
        """The pid of the living agent, None if there is none."""
        if self.process and self.process.poll() is None:
            return self.process.pid
        with contextlib.suppress(FileNotFoundError), self.lock.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read().strip()
                return int(text) if text.isdigit() else None
        return None

    def start(self, command: list[str], env: dict[str, str], cwd: Path) -> None:
        """Start it, in a session of its own, unless it has just failed."""
        if time.monotonic() < self._not_before:
            return
        self._not_before = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Ask the living agent to end; `gone` says when it has."""
        if pid := self.pid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def kill(self) -> None:
        if pid := self.pid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def gone(self) -> bool:
        return self.pid() is None


class LocalAgents:
    """Keeps `names` alive while the server runs, and ends them with it."""

    def __init__(self, names: list[str], directory: Path, url: str, base: Path, say: Callable[[str], None]) -> None:
        self.url = url
        self.key_file = directory / "key"
        self._directory = directory
        self._base = base
        self._print = say
        self._agents = [LocalAgent(name, directory) for name in names]
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="local-agents", daemon=True)

    def start(self) -> None:
        """Adopt the living ones that are as we would start them, start the others, and go on looking after them."""
        self._keeper.start()

    def stop(self) -> None:
        """End every one of them, started or adopted. Asked again meanwhile, they give their commands no more time."""
        self._stopping.set()
        if self._keeper.is_alive():
            self._keeper.join()
        _end(self._agents)

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # Where it is written to may be full, too.
            self._print(text)

    def _adopt(self) -> None:
        ours = {agent.lock for agent in self._agents}
        others = [LocalAgent(lock.stem, self._directory) for lock in self._directory.glob("*.lock") if lock not in ours]
        manners = {agent: json.dumps([self.url, self._command(agent)]).encode() for agent in self._agents}
        changed = {
            agent: manner
            for agent, manner in manners.items()
            if not agent.manner.exists() or agent.manner.read_bytes() != manner
        }
        _end([*others, *changed])
        for agent, manner in changed.items():
            agent.manner.write_bytes(manner)
        for agent in self._agents:
            if pid := agent.pid():
                self._say(f"Agent {agent.name} is still alive (pid {pid}).")

    def _keep(self) -> None:
        try:
            self._adopt()
        except OSError as problem:
            self._say(f"What an earlier server has left could not be looked after: {problem}.")
        while not self._stopping.is_set():
            for agent in self._agents:
                try:
                    self._keep_alive(agent)
                except OSError as problem:
                    self._say(f"Agent {agent.name} could not be started: {problem}. That is tried again.")
            self._stopping.wait(_LOOK_EVERY)

    def _keep_alive(self, agent: LocalAgent) -> None:
        if not agent.gone():
            return
        if agent.process and (code := agent.process.poll()) is not None:
            agent.process = None
            self._say(f"Agent {agent.name} ended with exit code {code}; see {agent.log}. It is started again.")
        # There the program is found without a PYTHONPATH, which its commands would inherit.
        agent.start(self._command(agent), self._environment(), self._base / "sdk")

    def _command(self, agent: LocalAgent) -> list[str]:
        rules = [rule.strip() for rule in os.environ.get("LOCAL_AGENT_ALLOW", "").split(";") if rule.strip()]
        return [
            *[sys.executable, "-m", "signalbox_agent", "--name", agent.name, "--label", "local"],
            *["--slots", os.environ.get("LOCAL_AGENT_SLOTS", "2")],
            *(part for rule in rules for part in ("--allow", rule)),
            *([] if rules else ["--allow-all"]),
            *["--cwd", str(self._base), "--lock", str(agent.lock), "--give-up-after", str(GIVE_UP_SECONDS)],
        ]

    def _environment(self) -> dict[str, str]:
        """The caller's, with this virtual environment's programs first, and without what is meant for the server.

        The commands get it too, but for what is named SIGNALBOX_.
        """
        kept = {name: value for name, value in os.environ.items() if name not in _FOR_THE_SERVER}
        paths = [str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]
        return kept | {
            "PATH": os.pathsep.join(paths),
            "SIGNALBOX_URL": self.url,
            "SIGNALBOX_KEY_FILE": str(self.key_file),
        }


def _end(agents: list[LocalAgent]) -> None:
    """Ask them to end, wait, and kill those that don't."""
    pids = [pid for agent in agents if (pid := agent.pid())]
    for agent in agents:
        agent.stop()
    until = time.monotonic() + _STOP_SECONDS
    # A lock is let go a moment before its process has ended.
    while time.monotonic() < until and not (all(agent.gone() for agent in agents) and not any(map(_runs, pids))):
        time.sleep(0.05)
    for agent in agents:
        agent.kill()


def _runs(pid: int) -> bool:
    """An adopted agent is not our child: what it leaves behind is for somebody else to collect."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
