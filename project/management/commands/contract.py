"""`manage.py contract`: write what is generated from the features' contracts."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from project.contract import asyncapi, javascript, markdown


class Command(BaseCommand):
    """Write docs/asyncapi.json, docs/frames.md and static/js/realtime/contract.js from the features' contracts."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail when a generated file is stale; write nothing")

    def handle(self, *, check: bool, **_: Any) -> None:
        generated = {
            settings.BASE_DIR / "docs" / "asyncapi.json": asyncapi.render(),
            settings.BASE_DIR / "docs" / "frames.md": markdown.render(),
            settings.BASE_DIR / "static" / "js" / "realtime" / "contract.js": javascript.render(),
        }
        stale = [path for path, text in generated.items() if not path.exists() or path.read_text() != text]
        names = ", ".join(str(path.relative_to(settings.BASE_DIR)) for path in stale)
        if check and stale:
            raise CommandError(f"Stale: {names}. Run `manage.py contract`.")
        for path in stale:
            path.write_text(generated[path])
        self.stdout.write(f"Written: {names}" if stale else "Up to date.")
