"""Old history goes, by the retention that each kind of topic declares, the old audit log by AUDIT_DAYS, and what is
left of logins that are over.

Readers below the new floor of a topic get a `reset`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Max, Min, OuterRef, Q

from apps.accounts import audit, sessions, tokens
from apps.events import declare, wire
from apps.events.declare import Retention
from apps.events.models import Head, StoredEvent
from apps.events.sweeper import sweeps

HOUR = 3600.0
EVENTS_AT_ONCE = 1_000
"""Deleted in one transaction, as are other rows. Whoever has something to store waits no longer than that takes."""


def prune(limits: Mapping[str, Retention] | None = None) -> int:
    """Delete what each kind of topic no longer keeps. How many events went.

    `limits` replaces the declared retention of some kinds.
    """
    gone = 0
    while (cut := prune_some(limits)) is not None:
        gone += cut
    return gone


def prune_some(limits: Mapping[str, Retention] | None = None) -> int | None:
    """As `prune`, EVENTS_AT_ONCE of one topic at most; None when nothing is left to do."""
    for kind, topic_class in declare.topics.items():
        retention = (limits or {}).get(kind, topic_class.retention)
        if (head := _too_long(kind, retention)) is not None:
            return _cut(head.topic, _floor(head, retention))
    return None


@sweeps(seconds=HOUR)
def prune_by_declaration() -> bool:
    return prune_some() is not None


@sweeps(seconds=HOUR)
def forget_old_audit() -> bool:
    """The audit log grows with every refusal, so strangers can make it grow."""
    return audit.forget(_days_ago(settings.AUDIT_DAYS), EVENTS_AT_ONCE) > 0


@sweeps(seconds=HOUR)
def forget_old_tokens() -> bool:
    """Each renewal leaves a used token behind, and each login that nobody ends itself."""
    return tokens.forget(_days_ago(1), EVENTS_AT_ONCE) > 0


@sweeps(seconds=HOUR)
def forget_old_sessions() -> bool:
    return sessions.forget(_days_ago(1), EVENTS_AT_ONCE) > 0


def _too_long(kind: str, retention: Retention) -> Head | None:
    """A topic of this kind that keeps more than it should."""
    heads = Head.objects.filter(Q(topic=kind) | Q(topic__startswith=f"{kind}."), seq__gt=F("floor"))
    excess = Q(pk__in=[])
    if retention.events is not None:
        excess |= Q(seq__gt=F("floor") + retention.events)
    if retention.days is not None:
        oldest = StoredEvent.objects.filter(topic=OuterRef("topic"), seq=OuterRef("floor") + 1)
        # One whose floor lies too low, as old versions could leave it, is put right.
        excess |= Q(Exists(oldest.filter(created_at__lt=_days_ago(retention.days)))) | ~Q(Exists(oldest))
    return heads.filter(excess).first()


def _floor(head: Head, retention: Retention) -> int:
    """How far the history of this topic may be cut now: EVENTS_AT_ONCE further than it is, at most."""
    floor, furthest = head.floor, head.floor + EVENTS_AT_ONCE
    if retention.events is not None:
        floor = max(floor, min(furthest, head.seq - retention.events))
    if retention.days is not None:
        kept = StoredEvent.objects.filter(topic=head.topic, seq__gt=head.floor)
        first = kept.aggregate(first=Min("seq"))["first"] or head.seq + 1
        old = kept.filter(seq__lte=furthest, created_at__lt=_days_ago(retention.days))
        floor = max(floor, first - 1, old.aggregate(last=Max("seq"))["last"] or 0)
    return floor


def _days_ago(days: float) -> datetime:
    return wire.now() - timedelta(days=days)


@transaction.atomic
def _cut(topic: str, floor: int) -> int:
    """Raise the floor first, so that nobody reads a half-deleted page as whole; who else prunes may have raised it."""
    if not Head.objects.filter(topic=topic, floor__lt=floor).update(floor=floor):
        return 0
    gone, _ = StoredEvent.objects.filter(topic=topic, seq__lte=floor).delete()
    return gone
