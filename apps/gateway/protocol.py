"""Ids, close codes and refusals, as the wire has them."""

from typing import Any

from apps.accounts import refusals
from apps.accounts.refusals import Refusal

AUTH_TIMEOUT = 4408
RESTART = 1012

COULD_NOT = "This could not be done; the server's log says why."


def id_of(inbound: object) -> Any:
    """The `id` with which a frame is answered: just as it was sent, if it is text or a whole number."""
    id = inbound.get("id") if isinstance(inbound, dict) else None
    return id if isinstance(id, str | int) and not isinstance(id, bool) else None


def close_codes() -> dict[str, int]:
    """Name and number of every close code of ours."""
    codes = {r.code: r.close_code for r in all_refusals() if r.close_code is not None}
    return dict(sorted({**codes, "auth_timeout": AUTH_TIMEOUT}.items()))


def all_refusals() -> list[type[Refusal]]:
    """Every kind of "no", by its code."""
    found = [r for r in vars(refusals).values() if isinstance(r, type) and issubclass(r, Refusal) and r is not Refusal]
    return sorted(found, key=lambda refusal: refusal.code)
