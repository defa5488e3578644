"""`manage.py serve`: a whole Signalbox on this machine, in one command."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from project.local_agents import LocalAgents
from project.serving import PortTaken, listen_on, port_of, serve

HOST = "127.0.0.1"


class Command(BaseCommand):
    """Prepares the data directory, serves on 127.0.0.1, and keeps the local agents alive."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=port_of, default=os.environ.get("PORT", "8000"))
        parser.add_argument(
            "--agents", type=int, default=os.environ.get("LOCAL_AGENTS", "2"), help="how many local agents"
        )

    def handle(self, **options: Any) -> None:
        try:
            self._run(options["port"], options["agents"])
        except KeyboardInterrupt:  # before or after the server itself, which has its own way to stop
            sys.exit(130)

    def _run(self, port: int, agents: int) -> None:
        directory = settings.DATA_DIR / "agents"
        directory.mkdir(mode=0o700, exist_ok=True)
        with self._alone(settings.DATA_DIR / "serve.lock"):
            try:
                listener = listen_on(HOST, port)
            except PortTaken as taken:
                raise CommandError(f"{taken} Choose another port: make serve PORT={port + 1}") from None
            url = f"http://{HOST}:{port}"
            names = [f"local-{number}" for number in range(1, agents + 1)]
            local = LocalAgents(names, directory, url, settings.BASE_DIR, self._say)
            call_command("prepare", key_file=local.key_file, stdout=self.stdout)
            connections.close_all()

            def listening() -> None:
                self._say(f"Signalbox is at {url} (Ctrl-C stops it)")
                local.start()

            try:
                serve(listener, listening, stopping=local.stop)
            finally:
                local.stop()  # again, when the first time was cut short: then without any grace
                self._say("Stopped.")

    @contextmanager
    def _alone(self, lock: Path) -> Iterator[None]:
        """One embedded server per data directory: its channel layer lives in the process."""
        with lock.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise CommandError(
                    f"Signalbox already runs on {settings.DATA_DIR} (pid {file.read().strip()}). "
                    "Stop it, or choose another directory: make serve DATA_DIR=…"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
