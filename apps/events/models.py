"""The log's two tables: where each topic stands, and what happened on it."""

from typing import Any

from django.db import models

from apps.events import wire

TOPIC_LENGTH = 90
TYPE_LENGTH = 64
ID_LENGTH = 90
"""What a sender may call a frame."""
REF_LENGTH = TYPE_LENGTH + 1 + ID_LENGTH


class Head(models.Model):
    """Where one topic stands: the seq of its newest event, and below what history is gone."""

    topic = models.CharField(primary_key=True, max_length=TOPIC_LENGTH)
    epoch = models.CharField(max_length=16, help_text="Names one life of this numbering.")
    seq = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=0, help_text="Events up to this seq were pruned.")

    def __str__(self) -> str:
        return f"{self.topic} at {self.seq}"


class StoredEvent(models.Model):
    """One event. `data` is text, not jsonb: whoever reads it later gets the bytes that were sent first."""

    pk = models.CompositePrimaryKey("topic", "seq")
    topic = models.CharField(max_length=TOPIC_LENGTH)
    seq = models.BigIntegerField()
    type = models.CharField(max_length=TYPE_LENGTH)
    data = models.TextField()
    sender = models.CharField(max_length=90)
    ref = models.CharField(max_length=REF_LENGTH, null=True, help_text="Type and id of the frame that it was.")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["topic", "sender", "ref"], name="one_event_per_ref")]

    def __str__(self) -> str:
        return f"{self.topic} #{self.seq} {self.type}"

    @property
    def payload(self) -> dict[str, Any]:
        """The event's data, decoded."""
        payload: dict[str, Any] = wire.loads(self.data)
        return payload

    @property
    def encoded(self) -> bytes:
        """The event as every door sends it."""
        return wire.event(self.type, self.topic, self.seq, self.created_at, self.data.encode())
