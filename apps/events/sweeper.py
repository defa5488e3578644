"""What has to be looked at again and again: ended leases, timeouts, old history.

A feature declares a sweep in its services; one process runs them all: `manage.py sweep`, or the web process when
embedded.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, transaction

from apps.events.threads import in_writer

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0
"""How soon a sweep comes again for which the database had no time."""


@dataclass(slots=True)
class Sweep:
    run: Callable[[], object]
    seconds: float
    due: float = 0.0


_sweeps: dict[str, Sweep] = {}


def sweeps(*, seconds: float) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Declare a function that is called every so many seconds, in a transaction.

    One that does its work in portions returns True for as long as there is more: others get their turn in between.
    """

    def register(run: Callable[[], object]) -> Callable[[], object]:
        _sweeps[f"{run.__module__}.{run.__qualname__}"] = Sweep(run, seconds)
        return run

    return register


async def sweep_forever() -> None:
    """Run what is due, until cancelled. A sweep that fails is logged and comes again."""
    while True:
        for name, sweep in _sweeps.items():
            if time.monotonic() < sweep.due:
                continue
            sweep.due = time.monotonic() + sweep.seconds
            try:
                if await in_writer(_in_transaction, sweep.run) is True:
                    sweep.due = 0.0
            except (OperationalError, InterfaceError) as problem:
                logger.warning("The sweep %s comes again: %s", name, problem)
                sweep.due = time.monotonic() + min(sweep.seconds, AGAIN_SECONDS)
            except Exception:
                logger.exception("The sweep %s failed", name)
        await asyncio.sleep(0.25)


def _in_transaction(run: Callable[[], object]) -> object:
    with transaction.atomic():
        return run()
