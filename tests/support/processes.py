"""Every process a test session starts, by pid, so that none outlives it: not after a failure, not after a crash."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import randrange
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
_PREFIX = "signalbox-tests-"
_VARIABLE = "SIGNALBOX_TEST_SESSION"


def session_dir() -> Path:
    """The directory of this test session, shared by all its workers; made on the first call, in the controller."""
    if given := os.environ.get(_VARIABLE):
        return Path(given)
    made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    made.chmod(0o755)
    (made / "processes").mkdir()
    os.environ[_VARIABLE] = str(made)
    return made


def launch(
    command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, **popen: Any
) -> subprocess.Popen[bytes]:
    """Start `command` in its own session with output to `log`, and remember its pid."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdout=popen.pop("stdout", output),
            stderr=output,
            stdin=popen.pop("stdin", subprocess.DEVNULL),
            env=None if env is None else dict(env),
            start_new_session=True,
            **popen,
        )
    note = {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}
    (session_dir() / "processes" / str(process.pid)).write_text(json.dumps(note))
    return process


def end(process: subprocess.Popen[bytes], sign: int = signal.SIGTERM, patience: float = 10) -> int:
    """Send `sign`, wait up to `patience` seconds, then kill; gives the exit code."""
    if process.poll() is None:
        process.send_signal(sign)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    code = process.wait()
    (session_dir() / "processes" / str(process.pid)).unlink(missing_ok=True)
    return code


def end_session() -> None:
    """End whatever this session left running, and remove its directory. Only for the controller."""
    _end_all(session_dir())
    os.environ.pop(_VARIABLE, None)


def end_dead_sessions() -> None:
    """End what the sessions of killed test runs left behind."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            _end_all(left)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses, below the range that outgoing connections take theirs from."""
    while True:
        port = randrange(18_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(true: Callable[[], object], what: Callable[[], str], patience: float = 30) -> None:
    """Wait until `true()` is, at most `patience` seconds; then fail with `what()`."""
    until = time.monotonic() + patience
    while not true():
        if time.monotonic() > until:
            raise TimeoutError(what())
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Does anybody accept connections on this port of 127.0.0.1?"""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end_all(directory: Path) -> None:
    left = []
    for file in (directory / "processes").glob("*"):
        note = json.loads(file.read_text())
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(note["pid"])
            if abs(process.create_time() - note["created"]) < 1:
                process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
                left.append(process)
    for process in psutil.wait_procs(left, timeout=10)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    shutil.rmtree(directory, ignore_errors=True)
