"""Durations as people write them: 90, "90s", "5m", "1h30m"."""

import re
from contextlib import suppress

_PARTS = re.compile(r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s?)?", re.ASCII)
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def seconds_of(value: object) -> float:
    """The seconds that `value` means; ValueError when it means none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):
            return float(value)
    if isinstance(value, str) and (text := value.replace(" ", "").lower()):
        match = _PARTS.fullmatch(text)
        if match:
            return sum(float(amount) * _SECONDS[unit] for unit, amount in match.groupdict().items() if amount)
    raise ValueError('write seconds (90) or a text like "90s", "5m" or "1h30m"')
