"""JSON from outside may be nested to a limit, whichever door it comes through."""

from typing import Any


def is_deeper(value: Any, written: str | bytes, limit: int) -> bool:
    """Whether `value`, which was `written` so, is nested more than `limit` levels deep."""
    if isinstance(written, str):
        brackets = written.count("[") + written.count("{")
    else:
        brackets = written.count(b"[") + written.count(b"{")
    # Hardly any text has so many brackets, and to count them is the cheapest way to know.
    return brackets > limit and _depth(value) > limit


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        deepest += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return deepest
