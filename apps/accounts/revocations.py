"""Telling those who hold live connections that somebody's access may have ended.

A revocation is a hint to ask again, not a verdict: whoever listens asks `renewed` (or the role) of every
actor it concerns. So a push can be sent generously, and a lost one is found by the regular check.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.accounts.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Whose access has changed. With `team_id` only the user's role in that team did; else the credentials."""

    user_id: int | None = None
    team_id: UUID | None = None
    session_key: str = ""
    family: str = ""
    key_prefix: str = ""

    def concerns(self, actor: Actor) -> bool:
        """Whether this actor's credentials or roles have to be looked at again."""
        if self.user_id is not None:
            return actor.user is not None and actor.user.pk == self.user_id
        if self.session_key:
            return actor.session_key == self.session_key
        if self.family:
            return actor.family == self.family
        return actor.key is not None and actor.key.prefix == self.key_prefix


logger = logging.getLogger(__name__)

Listener = Callable[[Revocation], None]
_listeners: list[Listener] = []


def on_revoked(listener: Listener) -> Listener:
    """Call `listener` with each revocation of this process, after its transaction has committed."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


def revoked(
    *,
    user_id: int | None = None,
    team_id: UUID | None = None,
    session_key: str = "",
    family: str = "",
    key_prefix: str = "",
) -> None:
    """Tell every listener as soon as the running transaction has committed (at once if there is none)."""
    given = Revocation(user_id=user_id, team_id=team_id, session_key=session_key, family=family, key_prefix=key_prefix)
    if given == Revocation() or (team_id is not None and user_id is None):
        raise ValueError(f"A revocation must say whose access it is about, not {given}")
    transaction.on_commit(lambda: _tell(given), robust=True)


def _tell(given: Revocation) -> None:
    for listener in _listeners:
        try:
            listener(given)
        except Exception:
            logger.exception("A listener failed; the regular check will find %s.", given)
