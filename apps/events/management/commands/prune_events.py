from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.events.declare import Retention
from apps.events.retention import prune


class Command(BaseCommand):
    """Delete history that is older or longer than its kind of topic keeps."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", help="only topics of this kind, e.g. `terminal`")
        parser.add_argument("--days", type=int, help="with --kind: keep so many days")
        parser.add_argument("--events", type=int, help="with --kind: keep so many events per topic")

    def handle(self, *, kind: str | None, days: int | None, events: int | None, **_: Any) -> None:
        gone = prune({kind: Retention(days, events)} if kind else None)
        self.stdout.write(f"{gone} events pruned")
