"""Agents, and the commands they are given."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import models

from apps.events import wire

NAME_LENGTH = 100
KIND_LENGTH = 32
INSTANCE_LENGTH = 64


class Agent(models.Model):
    """A place where work is done: one name in a team, behind which one process at a time is connected."""

    class Status(models.TextChoices):
        ONLINE = "online"
        AWAY = "away"  # Its socket has ended, its lease has not: it may come back to what it was doing.
        OFFLINE = "offline"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="agents")
    name = models.CharField(max_length=NAME_LENGTH)
    key = models.ForeignKey("accounts.ApiKey", on_delete=models.SET_NULL, null=True, blank=True, related_name="agents")
    accepts = models.JSONField(default=list, help_text="Kinds of commands it carries out.")
    labels = models.JSONField(default=list, blank=True)
    slots = models.PositiveIntegerField(default=1, help_text="Commands side by side.")

    status = models.CharField(max_length=16, choices=Status, default=Status.OFFLINE)
    instance = models.CharField(max_length=INSTANCE_LENGTH, blank=True, help_text="Names one life of its process.")
    connection = models.CharField(max_length=64, blank=True, db_index=True)
    connected_at = models.DateTimeField(null=True, blank=True, help_text="Since when it can report without a break.")
    lease_until = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=64, blank=True)
    platform = models.CharField(max_length=200, blank=True)
    metrics = models.JSONField(default=dict, blank=True)
    ended = models.JSONField(default=list, blank=True, help_text="Commands whose end it is about to report.")
    created_at = models.DateTimeField(default=wire.now, editable=False)

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("team", "name"), name="one_agent_per_name"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_online(self) -> bool:
        return self.status == self.Status.ONLINE

    def accepts_kind(self, kind: str) -> bool:
        return kind in self.accepts

    def has_label(self, label: str) -> bool:
        return not label or label in self.labels


class Command(models.Model):
    """One piece of work for one agent. It is started at most once: trying again means another command."""

    class Status(models.TextChoices):
        QUEUED = "queued"  # waits for an agent
        SENT = "sent"  # lies in an agent's inbox
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        INTERRUPTED = "interrupted"
        LOST = "lost"

    WAYS = {
        Status.QUEUED: {Status.SENT, Status.INTERRUPTED},
        Status.SENT: {Status.QUEUED, Status.RUNNING, Status.INTERRUPTED, Status.LOST},
        Status.RUNNING: {Status.SUCCEEDED, Status.FAILED, Status.INTERRUPTED, Status.LOST},
    }
    ASSIGNED = (Status.SENT, Status.RUNNING)
    OPEN = (Status.QUEUED, Status.SENT, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="commands")
    agent = models.ForeignKey(Agent, on_delete=models.SET_NULL, null=True, blank=True, related_name="commands")
    agent_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    instance = models.CharField(
        max_length=INSTANCE_LENGTH, blank=True, help_text="The life of the agent that claimed it."
    )
    kind = models.CharField(max_length=KIND_LENGTH, default="shell", help_text="What its agent must accept.")
    purpose = models.CharField(max_length=32, blank=True, help_text="Whose command it is: empty, or a name like task.")
    spec = models.JSONField(default=dict, help_text="argv or shell, cwd, env, timeout, cols, rows.")
    label = models.CharField(max_length=NAME_LENGTH, blank=True)
    is_named = models.BooleanField(default=False, help_text="It is for this agent and no other.")
    context = models.JSONField(default=dict, blank=True, help_text="What its owner wants back.")
    attempt = models.PositiveIntegerField(default=1)
    requested_by = models.CharField(max_length=200, blank=True)

    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    exit_code = models.BigIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    cpu_seconds = models.FloatField(null=True, blank=True)
    max_rss_bytes = models.BigIntegerField(null=True, blank=True)
    request_seq = models.BigIntegerField(null=True, blank=True, help_text="Where its request lies in the inbox.")

    created_at = models.DateTimeField(default=wire.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    interrupt_sent_at = models.DateTimeField(null=True, blank=True)
    interrupt_delivered_at = models.DateTimeField(null=True, blank=True)
    interrupt_acknowledged_at = models.DateTimeField(null=True, blank=True)
    interrupt_stopped_at = models.DateTimeField(null=True, blank=True)
    stray_stop_sent_at = models.DateTimeField(
        null=True, blank=True, help_text="When its agent, which ran on, was told to stop what had been given up."
    )

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("team", "-created_at", "-id"), name="commands_of_a_team"),
            models.Index(fields=("agent", "-created_at", "-id"), name="newest_of_an_agent"),
            models.Index(fields=("status", "team", "created_at", "id"), name="commands_in_a_state"),
            models.Index(fields=("agent", "status"), name="commands_of_an_agent"),
        )

    def __str__(self) -> str:
        return f"{self.line[:60]} ({self.status})"

    @property
    def line(self) -> str:
        """What is run, as one line for people."""
        spec: dict[str, Any] = self.spec
        return str(spec.get("shell") or " ".join(spec.get("argv") or ()))

    @property
    def is_over(self) -> bool:
        return self.status not in self.OPEN

    def may_become(self, status: str) -> bool:
        return status in self.WAYS.get(self.Status(self.status), ())

    def overdue_at(self, grace: timedelta) -> datetime | None:
        """When its agent should have ended it by its timeout, and has been there for the whole `grace` to say so.

        None: never, or not as long as the agent says that it has ended and that the report is under way.
        """
        timeout = self.spec.get("timeout")
        if not timeout or self.started_at is None or (self.agent and str(self.pk) in self.agent.ended):
            return None
        due = self.started_at + timedelta(seconds=timeout)
        came = self.agent.connected_at if self.agent else None
        return max(due, came or due) + grace
