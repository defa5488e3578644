"""`manage.py run_project NAME`: start a run, and watch it to its end with `--follow`."""

import argparse
import time
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.actors import SYSTEM
from apps.accounts.models import Team
from apps.accounts.refusals import Refusal
from apps.events import log
from apps.events.dispatch import perform_sync
from apps.swarm.management.teams import add_team_argument, team_called
from apps.swarm.models import Project

LOOK_EVERY = 0.25  # seconds


class Command(BaseCommand):
    help = (
        "Start a run of a project. With --follow, print what it prints, and exit with 0 if it completes, else with 1."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="A project's name or slug.")
        add_team_argument(parser)
        parser.add_argument("--follow", action="store_true", help="Print the log until the run ends.")

    def handle(self, *args: Any, name: str, team: str | None, follow: bool, **options: Any) -> None:
        owner = team_called(team)
        project = _project_called(name, owner)
        start = {
            "type": "run:start",
            "id": str(uuid4()),
            "topic": f"team.{owner.pk}",
            "data": {"project_id": str(project.pk)},
        }
        try:
            run_id = perform_sync(SYSTEM, start)["data"]["run_id"]
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        if not follow:
            self.stdout.write(run_id)
            return
        self.stdout.write(f"{project.name}: run {run_id}")
        try:
            status = self._follow(f"run.{run_id}")
        except KeyboardInterrupt:
            raise CommandError(f"The run goes on without you: {run_id}", returncode=130) from None
        if status != "completed":
            raise CommandError(f"{project.name}: {status}", returncode=1)
        self.stdout.write(f"{project.name}: {status}")

    def _follow(self, topic: str) -> str:
        """Print a run's log until its end, and give its last status."""
        lines = _Lines(self)
        after, epoch = 0, None
        while True:
            page = log.read_after(topic, after, epoch)
            if page.reset:
                raise CommandError("The history of this run was lost.")
            for event in page.events:
                after, epoch, data = event.seq, page.epoch, event.payload
                if event.type == "workflow_log":
                    lines.add(data)
                elif event.type == "project_error":
                    lines.say(str(data["message"]))
                elif event.type == "project_completed":
                    lines.flush()
                    return str(data["status"])
            if not page.events:
                time.sleep(LOOK_EVERY)


class _Lines:
    """Output of several steps at once, printed line by line with the name of its step."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._begun: dict[str, str] = {}

    def add(self, data: dict[str, Any]) -> None:
        step = data["step"]
        if data["level"] != "info":
            self._finish(step)
        *whole, self._begun[step] = (self._begun.get(step, "") + data["text"]).split("\n")
        for line in whole:
            self._print(step, line)

    def say(self, text: str) -> None:
        self.flush()
        self._command.stdout.write(text)

    def flush(self) -> None:
        for step in list(self._begun):
            self._finish(step)

    def _finish(self, step: str) -> None:
        if begun := self._begun.pop(step, ""):
            self._print(step, begun)

    def _print(self, step: str, line: str) -> None:
        # A progress bar redraws its line after a carriage return: only its last state is worth a line.
        shown = line.rstrip("\r").rpartition("\r")[2]
        self._command.stdout.write(f"[{step}] {shown}")
        self._command.stdout.flush()


def _project_called(name: str, team: Team) -> Project:
    projects = Project.objects.filter(team=team)
    project = projects.filter(slug=name).first() or projects.filter(name=name).first()
    if project is None:
        known = ", ".join(projects.values_list("slug", flat=True)) or "none"
        raise CommandError(f'{team.name} has no project "{name}". There are: {known}.')
    return project
