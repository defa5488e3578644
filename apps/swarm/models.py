"""Projects as they are written, and runs as they went."""

from uuid import uuid4

from django.conf import settings
from django.db import models

from apps.events import wire


class Project(models.Model):
    """A plan: stages in order, steps side by side."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60)
    description = models.TextField(blank=True)
    definition = models.JSONField(help_text="As apps/swarm/definition.py checks it.")
    created_at = models.DateTimeField(default=wire.now, editable=False)
    updated_at = models.DateTimeField(default=wire.now)

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("team", "slug"), name="one_project_per_slug"),)

    def __str__(self) -> str:
        return self.name


class RunStatus(models.TextChoices):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Run(models.Model):
    """One time that a project was carried out."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="runs")
    name = models.CharField(max_length=100, help_text="The project's name then.")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    by = models.CharField(max_length=150, help_text="Who started it, as people saw them then.")
    status = models.CharField(max_length=16, choices=RunStatus, default=RunStatus.RUNNING)
    error_code = models.CharField(max_length=32, blank=True)
    error = models.TextField(
        blank=True, help_text="Why it fails or is cancelled; known before the last step has ended."
    )
    error_step = models.CharField(max_length=100, blank=True)
    started_at = models.DateTimeField(default=wire.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-started_at", "-id")
        indexes = (models.Index(fields=("team", "-started_at", "-id"), name="runs_of_a_team"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.status})"

    @property
    def topic(self) -> str:
        return f"run.{self.pk}"

    @property
    def is_over(self) -> bool:
        return self.status != RunStatus.RUNNING

    @property
    def is_going_down(self) -> bool:
        """Whether it is clear already that no further stage starts."""
        return bool(self.error_code)

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return round((self.ended_at - self.started_at).total_seconds(), 3) if self.ended_at else None


class StageStatus(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Stage(models.Model):
    """Steps of a run that go side by side."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="stages")
    index = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)
    status = models.CharField(max_length=16, choices=StageStatus, default=StageStatus.WAITING)

    class Meta:
        ordering = ("index",)
        constraints = (models.UniqueConstraint(fields=("run", "index"), name="one_stage_per_index"),)

    def __str__(self) -> str:
        return f"{self.index + 1}. {self.name} ({self.status})"


class StepStatus(models.TextChoices):
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    LOST = "lost"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


STEP_IS_OPEN = frozenset({StepStatus.WAITING, StepStatus.QUEUED, StepStatus.RUNNING})


class Step(models.Model):
    """One command of a stage; a task carries it out once the stage starts."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=100, help_text="Names the step in its run.")
    name = models.CharField(max_length=100)
    command = models.TextField(help_text="One line for people.")
    spec = models.JSONField()
    agent = models.CharField(max_length=100, blank=True, help_text="Who does it; whom it waits for, before that.")
    label = models.CharField(max_length=100, blank=True)
    retries = models.PositiveSmallIntegerField(default=0)
    lost_retries = models.PositiveSmallIntegerField(default=1)
    allow_failure = models.BooleanField(default=False)
    task = models.OneToOneField("tasks.Task", on_delete=models.SET_NULL, null=True, blank=True, related_name="step")

    status = models.CharField(max_length=16, choices=StepStatus, default=StepStatus.WAITING)
    agent_uuid = models.UUIDField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    exit_code = models.BigIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("stage__index", "position")
        constraints = (models.UniqueConstraint(fields=("run", "key"), name="one_step_per_key"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.status})"

    @property
    def is_over(self) -> bool:
        return self.status not in STEP_IS_OPEN

    @property
    def is_forgiven(self) -> bool:
        """Whether the run goes on after this step."""
        return self.status == StepStatus.COMPLETED or (self.allow_failure and self.status != StepStatus.CANCELLED)
