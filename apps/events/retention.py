"""Old history goes, by the retention that each kind of topic declares, the old audit log by AUDIT_DAYS, and what is
left of logins that are over.

Readers below the new floor of a topic get a `reset`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, OuterRef, Subquery

from apps.accounts import audit, sessions, tokens
from apps.events import declare, wire
from apps.events.declare import Retention
from apps.events.models import Head, StoredEvent
from apps.events.sweeper import sweeps

HOUR = 3600.0
EVENTS_AT_ONCE = 1_000
"""Deleted in one transaction, as are other rows. Whoever has something to store waits no longer than that takes."""
TOPICS_AT_ONCE = 20
"""Pruned in one transaction."""
HEADS_AT_ONCE = 500
"""Looked at in one transaction: there is one for each command that has ever run, and most have nothing to prune."""


def prune(limits: Mapping[str, Retention] | None = None) -> int:
    """Delete what the kinds of topics in `limits` no longer keep; left out: all, as declared. How many events went."""
    pruning, gone = Pruning(limits), 0
    while (cut := pruning.go_on()) is not None:
        gone += cut
    return gone


class Pruning:
    """One way through all topics, in their order, in portions."""

    def __init__(self, limits: Mapping[str, Retention] | None = None) -> None:
        self._limits = limits or {kind: topic.retention for kind, topic in declare.topics.items()}
        self._after = ""
        """The last topic that is done."""

    def go_on(self) -> int | None:
        """Do the next portion. How many events went; None: all topics are done."""
        first = StoredEvent.objects.filter(topic=OuterRef("topic"), seq=OuterRef("floor") + 1)
        heads = Head.objects.filter(topic__gt=self._after).annotate(oldest=Subquery(first.values("created_at")))
        gone = raised = topics = 0
        for head in (looked_at := list(heads.order_by("topic")[:HEADS_AT_ONCE])):
            retention = self._limits.get(head.topic.partition(".")[0])
            if retention and _is_too_long(head, head.oldest, retention):
                floor = _floor(head, retention)
                gone += _cut(head.topic, floor)
                raised += floor - head.floor
                topics += 1
                if raised >= EVENTS_AT_ONCE or topics >= TOPICS_AT_ONCE:
                    return gone  # There may be more of this one.
            self._after = head.topic
        return gone if looked_at else None


_under_way: Pruning | None = None


@sweeps(seconds=HOUR)
def prune_by_declaration() -> bool:
    global _under_way
    _under_way = _under_way or Pruning()
    if _under_way.go_on() is None:
        _under_way = None
    return _under_way is not None


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


def _is_too_long(head: Head, oldest: datetime | None, retention: Retention) -> bool:
    """`oldest`: when the event above the floor was. If there is none, the floor lies too low, as in old versions."""
    if retention.events is not None and head.seq > head.floor + retention.events:
        return True
    if retention.days is None or head.seq == head.floor:
        return False
    return oldest is None or oldest < _days_ago(retention.days)


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
