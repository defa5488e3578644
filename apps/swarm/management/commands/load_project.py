"""`manage.py load_project FILE`: write a project, or another version of it."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import SYSTEM
from apps.accounts.refusals import Refusal
from apps.swarm.definition import parse_yaml
from apps.swarm.management.teams import add_team_argument, team_called
from apps.swarm.services import load_project


class Command(BaseCommand):
    help = "Write a project from a YAML file, or another version of it if its slug is there already."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        add_team_argument(parser)

    def handle(self, *args: Any, file: Path, team: str | None, **options: Any) -> None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} can't be read: {error}") from None
        owner = team_called(team)
        try:
            with transaction.atomic():
                project = load_project(owner, parse_yaml(text))
                audit.record(SYSTEM, "project saved", str(project.pk), slug=project.slug)
        except Refusal as refusal:
            raise CommandError(f"{file}: {refusal.message}") from None
        self.stdout.write(f"{project.name} ({project.slug}) is ready in {owner.name}.")
