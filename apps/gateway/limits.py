"""How much one client may send: token buckets, and what follows when they are empty."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.conf import settings

from apps.accounts.refusals import BadFrame, Refusal, TooFast, TooLarge

STRIKES = 20
"""A client that is refused so often for bad, large or hasty frames (one is forgiven each second) is cut off."""
STRIKING = (BadFrame, TooLarge, TooFast)


class Bucket:
    """`rate` tokens per second, saved up to `burst`."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float | None = None) -> None:
        self._rate = rate
        self._burst = max(1.0, rate if burst is None else burst)
        self._tokens = self._burst
        self._at = time.monotonic()

    def take(self, count: int = 1) -> float:
        """Take so many tokens: 0, or the seconds until there are as many."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < count:
            return (count - self._tokens) / self._rate
        self._tokens -= count
        return 0.0


class Allowance:
    """What one connection may still send: frames in total, and frames of each type that has a rate of its own."""

    __slots__ = ("_by_type", "_frames", "_strikes")

    def __init__(self, frames_per_second: float) -> None:
        self._frames = Bucket(frames_per_second)
        self._strikes: Bucket | None = None
        self._by_type: dict[str, Bucket] | None = None

    def spend(self, sentence: str = "You send too many frames.") -> None:
        """One frame. Raises TooFast with the seconds to wait."""
        if wait := self._frames.take():
            raise TooFast(sentence, retry_after=_told(wait))

    def spend_on(self, type: str, rate: float | None) -> None:
        """One frame of a type that may have its own rate, per second."""
        if rate is None:
            return
        if self._by_type is None:
            self._by_type = {}
        bucket = self._by_type.get(type)
        if bucket is None:
            bucket = self._by_type[type] = Bucket(rate, max(1.0, rate))
        if wait := bucket.take():
            raise TooFast(f"You send {type} too often.", retry_after=_told(wait))

    def strike(self, refusal: Refusal) -> bool:
        """Note a frame that should not have been sent. True when that was one too many."""
        if not isinstance(refusal, STRIKING):
            return False
        if self._strikes is None:
            self._strikes = Bucket(1.0, STRIKES)
        return self._strikes.take() > 0


_over_http: dict[str, Allowance] = {}


def allowance_over_http(sender: str, frames_per_second: float) -> Allowance:
    """Over HTTP there is no connection to count by: one allowance per sender and process, forgotten in time."""
    if len(_over_http) > 10_000:
        _over_http.clear()
    return _over_http.setdefault(sender, Allowance(frames_per_second))


def count_read(sender: str, *, is_filtered: bool) -> None:
    """Count a page of the log that is asked for over HTTP. Raises TooFast."""
    if is_filtered:
        allowance = allowance_over_http(f"filter:{sender}", settings.LIMITS["filtered_reads_per_second"])
        allowance.spend("You ask for filtered pages too often.")
    else:
        allowance_over_http(f"read:{sender}", settings.LIMITS["reads_per_second"]).spend("You ask for pages too often.")


_places_taken: Counter[str] = Counter()


def place_to_wait(sender: str) -> AbstractContextManager[None]:
    """A place for a long poll, to be entered. Raises TooFast while this sender has taken all of theirs."""
    most = settings.LIMITS["waiting_polls"]
    return _place(f"wait:{sender}", most, TooFast(f"{most} of your long polls wait already.", retry_after=1.0))


def place_to_look(sender: str) -> AbstractContextManager[None]:
    """The one place for a filtered page: several of one sender would make everybody wait for all of them."""
    return _place(f"filter:{sender}", 1, TooFast("Your last filtered page is not ready yet.", retry_after=0.2))


@contextmanager
def _place(whose: str, most: int, refusal: Refusal) -> Iterator[None]:
    if _places_taken[whose] >= most:
        raise refusal
    _places_taken[whose] += 1
    try:
        yield
    finally:
        _places_taken[whose] -= 1
        if not _places_taken[whose]:
            del _places_taken[whose]


def _told(wait: float) -> float:
    """Seconds to the next millisecond, never less: who waits as long as told is served."""
    return math.ceil(wait * 1000) / 1000
