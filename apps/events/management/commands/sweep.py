import asyncio
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand

from apps.events.sweeper import sweep_forever


class Command(BaseCommand):
    """Run the sweeps of all features until stopped: leases, timeouts, retention."""

    help = __doc__ or ""

    def handle(self, **_: Any) -> None:
        with suppress(KeyboardInterrupt):
            asyncio.run(sweep_forever())
