"""`manage.py prepare`: what an installation needs before its first start, and after an update. It may be repeated."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from project import first_start


class Command(BaseCommand):
    """Migrates the database; makes the first admin, a team, a key for agents, and offers example projects."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--key-file", type=Path, default=settings.DATA_DIR / "agents" / "key")
        parser.add_argument(
            "--example",
            dest="examples",
            action="append",
            choices=first_start.examples(),
            help="a project of examples/ that the agents can carry out where they are; may be repeated (default: all)",
        )

    def handle(self, *, key_file: Path, examples: list[str] | None, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        name = os.environ.get("ADMIN_USERNAME", "") or "admin"
        made_up = first_start.make_admin(name, os.environ.get("ADMIN_PASSWORD", ""))
        team = first_start.make_home()
        first_start.keep_key(team, key_file)
        first_start.load_examples(team, examples or first_start.examples())
        if made_up:
            self.stdout.write(f"Log in as {name} with the password {made_up}  (shown only this once)")
