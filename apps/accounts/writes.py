"""Where accounts writes. It has no threads of its own: an app above brings some; without them, whoever asks writes."""

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")
Run = Callable[[Callable[[], Any]], object]


def run_by(*, and_wait: Run, soon: Run) -> None:
    """Have writes run by `and_wait`, which gives their answer, and those for which nobody waits by `soon`."""
    global _and_wait, _soon
    _and_wait, _soon = and_wait, soon


def write_and_wait(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work`, which writes, from a thread that may wait and is no writer itself: a view's."""
    return cast(T, _and_wait(partial(work, *args, **kwargs)))


def write_soon(work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run `work`, which writes and says itself what went wrong, without waiting for it."""
    _soon(partial(work, *args, **kwargs))


def _here(work: Callable[[], Any]) -> Any:
    return work()


_and_wait: Run = _here
_soon: Run = _here
