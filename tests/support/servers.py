"""Real servers for tests: one process each, with its own data directory and database, on a free port."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.support.processes import ROOT, end, free_port, launch, session_dir, wait_until
from tests.support.services import Postgres, Redis, only_one, shared_postgres

SECRET_KEY = "only-for-live-servers-" + "x" * 40


@dataclass(frozen=True)
class Variant:
    """One of the ways to run Signalbox that must behave the same."""

    web: str  # uvicorn | daphne
    store: str  # sqlite (with the in-memory layer) | postgres (with Redis)

    def __str__(self) -> str:
        return f"{self.web}-{self.store}"


VARIANTS = [Variant(web, store) for web in ("uvicorn", "daphne") for store in ("sqlite", "postgres")]


class LiveServer:
    """One server process and what it stands on. It can be killed and started again on the same port and data."""

    def __init__(self, variant: Variant = VARIANTS[0], **settings: str) -> None:
        self.variant = variant
        self.name = f"server_{uuid4().hex[:12]}"
        self.directory = session_dir() / self.name
        self.directory.mkdir()
        self.redis: Redis | None = None
        self.postgres: Postgres | None = None
        self.env = clean_environment() | {
            "DATA_DIR": str(self.directory),
            "SECRET_KEY": SECRET_KEY,
            "ACCESS_TOKEN_SECONDS": "3600",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._seed: subprocess.Popen[bytes] | None = None
        self._listen_on(free_port())
        self._prepare_stores()

    @contextmanager
    def beside(self) -> "Iterator[LiveServer]":
        """A second server process on the same stores, as behind a load balancer."""
        other = copy(self)
        other._process = None
        other._listen_on(free_port())
        try:
            yield other.start()
        finally:
            if other.running():
                other.terminate()

    # The server itself ----------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self, *, patience: float = 30) -> "LiveServer":
        """Start it, and wait until it answers."""
        if self.variant.web == "uvicorn":
            command = [sys.executable, "-m", "project.serving", "--port", str(self.port)]
        else:
            command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port)]
            command += ["--proxy-headers", "--application-close-timeout", "5", "-v", "0", "project.asgi:application"]
        self._process = launch(command, log=self.log, env=self.env, cwd=ROOT)
        self._start_seed()  # it starts while the server does
        wait_until(self._answers, lambda: f"{self.variant} does not start:\n{self.tail()}", patience)
        return self

    def kill9(self) -> None:
        """End the server as a power cut would."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        """Ask it to end, as a deployment does; gives the exit code."""
        return self._end(signal.SIGTERM)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def tail(self, characters: int = 4000) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""

    def close(self) -> None:
        """End everything that belongs to this server."""
        if self.running():
            self._end(signal.SIGTERM)
        if self._seed:
            assert self._seed.stdin
            self._seed.stdin.close()
            end(self._seed)
        self.stop_redis()
        if self.postgres:
            self.postgres.drop(self.name)
        shutil.rmtree(self.directory, ignore_errors=True)

    # What it stands on ------------------------------------------------------------------------------

    def stop_redis(self) -> None:
        if self.redis:
            self.redis.stop()

    def start_redis(self) -> None:
        if self.redis:
            self.redis.start()

    def do(self, call: str, *args: Any, **named: Any) -> Any:
        """Call a function (`"module:name"`) in a process that shares the server's database; values travel as JSON."""
        seed = self._start_seed()
        assert seed.stdin and seed.stdout
        wish = {"call": call, "args": args, "named": named}
        seed.stdin.write(json.dumps(wish, default=str).encode() + b"\n")
        seed.stdin.flush()
        line = seed.stdout.readline()
        if not line:
            raise RuntimeError(f"the seeding process ended: {(self.directory / 'seed.log').read_text()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def _listen_on(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}"
        self.log = self.directory / f"server-{port}.log"
        self.env = self.env | {"PORT": str(port)}

    def _start_seed(self) -> subprocess.Popen[bytes]:
        if self._seed is None:
            command = [sys.executable, "-m", "tests.support.seed"]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self._seed = launch(command, log=self.directory / "seed.log", env=self.env, cwd=ROOT, **pipes)
        return self._seed

    def _prepare_stores(self) -> None:
        if self.variant.store == "sqlite":
            shutil.copy(_sqlite_template(), self.directory / "signalbox.sqlite3")
            return
        self.postgres = shared_postgres()
        self.env["DATABASE_URL"] = self.postgres.create(self.name, _postgres_template(self.postgres))
        self.redis = Redis(self.directory)
        self.redis.start()
        self.env["REDIS_URL"] = self.redis.url

    def _answers(self) -> bool:
        if not self.running():
            raise RuntimeError(f"{self.variant} ended at start:\n{self.tail()}")
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code < 500
        except httpx.TransportError:
            return False

    def _end(self, sign: int) -> int:
        assert self._process is not None, "the server is not running"
        code = end(self._process, sign, patience=15)
        self._process = None
        return code


def clean_environment() -> dict[str, str]:
    """The caller's environment without the settings of Signalbox, so that a test says all it depends on."""
    ours = (
        "DATABASE_",
        "REDIS_",
        "LIMIT_",
        "DJANGO_",
        "SECRET_KEY",
        "DEBUG",
        "ALLOWED_HOSTS",
        "CSRF_",
        "PORT",
        "ADMIN_",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"DJANGO_SETTINGS_MODULE": "project.settings"}


def _sqlite_template() -> Path:
    """A migrated SQLite file, made once per test session."""
    with only_one("sqlite-template") as directory:
        template = directory / "signalbox.sqlite3"
        if not template.exists():
            building = directory / "building"
            _migrate({"DATA_DIR": str(building)})
            (building / "signalbox.sqlite3").rename(template)
        return template


def _postgres_template(postgres: Postgres) -> str:
    """The name of a migrated database, made once per test session."""
    with only_one("postgres-template") as directory:
        if not postgres.has("migrated"):
            url = postgres.create("migrating")
            _migrate({"DATA_DIR": str(directory), "DATABASE_URL": url})
            postgres.rename("migrating", "migrated")
        return "migrated"


def _migrate(settings: dict[str, str]) -> None:
    """Bring a database up to date in a process of its own, as a deployment does."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    env = clean_environment() | {"SECRET_KEY": SECRET_KEY} | settings
    made = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    if made.returncode:
        raise RuntimeError(f"migrate failed:\n{made.stdout}{made.stderr}")
