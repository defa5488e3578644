from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.events.store import start_epoch


class Command(BaseCommand):
    """Give topics a new epoch, after a database was restored from a backup: every reader starts afresh."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("topics", nargs="*", help="topics; all, if none are named")

    def handle(self, *, topics: list[str], **_: Any) -> None:
        count = start_epoch(topics or None)
        self.stdout.write(f"{count} topics have a new epoch")
