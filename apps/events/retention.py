"""Old history goes, by the retention that each kind of topic declares. Readers below the new floor get a `reset`."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Max

from apps.events import declare, wire
from apps.events.declare import Retention
from apps.events.models import Head, StoredEvent
from apps.events.sweeper import sweeps

HOUR = 3600.0


def prune(limits: dict[str, Retention] | None = None) -> int:
    """Delete what each kind of topic no longer keeps. How many events went.

    `limits` replaces the declared retention of some kinds.
    """
    gone = 0
    for kind, topic_class in declare.topics.items():
        retention = (limits or {}).get(kind, topic_class.retention)
        if retention.days is None and retention.events is None:
            continue
        for head in Head.objects.filter(topic__startswith=f"{kind}.") | Head.objects.filter(topic=kind):
            if (floor := _floor(head, retention)) > head.floor:
                gone += _cut(head.topic, floor)
    return gone


@sweeps(seconds=HOUR)
def prune_by_declaration() -> None:
    prune()


def _floor(head: Head, retention: Retention) -> int:
    """The highest seq that this topic no longer keeps."""
    floor = head.floor
    if retention.events is not None:
        floor = max(floor, head.seq - retention.events)
    if retention.days is not None:
        oldest = wire.now() - timedelta(days=retention.days)
        old = StoredEvent.objects.filter(topic=head.topic, created_at__lt=oldest).aggregate(last=Max("seq"))["last"]
        floor = max(floor, old or 0)
    return floor


@transaction.atomic
def _cut(topic: str, floor: int) -> int:
    """Raise the floor first, so that nobody reads a half-deleted page as whole."""
    Head.objects.filter(topic=topic).update(floor=floor)
    gone, _ = StoredEvent.objects.filter(topic=topic, seq__lte=floor).delete()
    return gone
