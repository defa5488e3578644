"""How long to wait before the next attempt."""

import random


class Backoff:
    """Full jitter: a random wait below a bound that doubles with each failure, in seconds.

    The longest stays well below the server's lease, so that an agent is back before its commands are given up.
    """

    def __init__(self, first: float = 0.25, longest: float = 4.0) -> None:
        self._first, self._longest = first, longest
        self.failures = 0

    def next(self) -> float:
        bound = min(self._longest, self._first * 2 ** min(self.failures, 20))
        self.failures += 1
        return random.uniform(0.02, bound)

    def reset(self) -> None:
        self.failures = 0
