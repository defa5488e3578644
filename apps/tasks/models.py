"""Tasks: what somebody wants done, whichever agent does it and however many tries it takes."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models

from apps.events import wire


class Status(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


class Task(models.Model):
    """One piece of work, carried out by one command after the other until it is done or given up."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="tasks")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks"
    )
    author_name = models.CharField(max_length=150, help_text="As people saw it then.")
    query = models.TextField()
    kind = models.CharField(max_length=32, default="shell", help_text="What the agent must accept.")
    spec = models.JSONField(default=dict, help_text="What each try's command is given.")

    wanted_agent = models.CharField(max_length=100, blank=True)
    label = models.CharField(max_length=100, blank=True)
    agent = models.ForeignKey("agents.Agent", on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks")
    agent_name = models.CharField(max_length=100, blank=True, help_text="Who does it; whom it waits for, before that.")

    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Percent.")
    retries = models.PositiveSmallIntegerField(default=0, help_text="How often a failed try is followed by another.")
    lost_retries = models.PositiveSmallIntegerField(default=1, help_text="The same for a try whose agent vanished.")
    attempt = models.PositiveSmallIntegerField(default=0, help_text="Which try this is: 1, 2, …")
    losses = models.PositiveSmallIntegerField(default=0, help_text="Of these, how many were lost.")
    command = models.ForeignKey("agents.Command", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    result = models.JSONField(
        default=dict, blank=True, help_text="exit_code, error and outcome of the last try that ended."
    )
    cancelled_by = models.CharField(
        max_length=150, blank=True, help_text="Who asked for the end; the work may still run."
    )

    purpose = models.CharField(max_length=32, blank=True, help_text="Whose task it is: empty, or a name like step.")
    context = models.JSONField(default=dict, blank=True, help_text="What the owner wants back.")

    created_at = models.DateTimeField(default=wire.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("team", "-created_at", "-id"), name="tasks_of_a_team"),
            models.Index(fields=("team", "status", "-created_at", "-id"), name="tasks_in_a_state"),
            models.Index(fields=("team", "status", "ended_at"), name="tasks_that_ended"),
        )

    def __str__(self) -> str:
        return f"{self.query[:60]} ({self.status})"

    @property
    def is_over(self) -> bool:
        return self.status in ENDED

    @property
    def exit_code(self) -> int | None:
        exit_code: int | None = self.result.get("exit_code")
        return exit_code

    @property
    def error(self) -> str:
        return self.result.get("error") or ""

    def may_try_again(self, *, lost: bool) -> bool:
        """Whether the try that has just ended (counted already) leaves another one."""
        if lost:
            return self.losses <= max(self.lost_retries, self.retries)
        return self.attempt - self.losses <= self.retries

    def as_data(self) -> dict[str, Any]:
        """The task as events and REST tell it."""
        return {
            "task_id": str(self.id),
            "status": self.status,
            "query": self.query,
            "progress": self.progress,
            "agent": self.agent_name or None,
            "agent_id": str(self.agent_id) if self.agent_id else None,
            "label": self.label or None,
            "exit_code": self.exit_code,
            "attempt": self.attempt,
            "error": self.error or None,
            "author": self.author_name,
            "purpose": self.purpose,
            "cancelling": bool(self.cancelled_by) and not self.is_over,
            "created_at": wire.timestamp(self.created_at),
            "started_at": wire.timestamp(self.started_at) if self.started_at else None,
            "ended_at": wire.timestamp(self.ended_at) if self.ended_at else None,
        }
