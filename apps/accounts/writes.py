"""Where accounts writes. It has no threads of its own: an app above brings some; without them, whoever asks writes."""

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec

P = ParamSpec("P")
Run = Callable[[Callable[[], Any]], object]


def run_by(*, soon: Run) -> None:
    """Have writes for which nobody waits run by `soon`."""
    global _soon
    _soon = soon


def write_soon(work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run `work`, which writes and says itself what went wrong, without waiting for it."""
    _soon(partial(work, *args, **kwargs))


def _here(work: Callable[[], Any]) -> Any:
    return work()


_soon: Run = _here
