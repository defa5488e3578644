"""What earlier runs of a project say about this one: how long its steps took, and which tries came before."""

from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Window
from django.db.models.functions import RowNumber

from apps.agents.models import Command
from apps.agents.selectors import commands_between
from apps.events import wire
from apps.swarm.models import Project, Run, RunStatus, Step, StepStatus

RUNS_ASKED = 15
"""How many earlier runs are looked at: enough for a median, few enough to follow a project that changes."""


def forecast_of(run: Run) -> dict[str, Any]:
    """Median seconds of each step (by key) and stage (by index), from the newest runs that completed.

    `runs` says of how many; what never completed before is missing, and nobody should guess it.
    """
    earlier = Run.objects.filter(project_id=run.project_id, status=RunStatus.COMPLETED).exclude(pk=run.pk)
    ids = list(earlier.order_by("-started_at").values_list("pk", flat=True)[:RUNS_ASKED])
    done = Step.objects.filter(run__in=ids, status=StepStatus.COMPLETED, started_at__isnull=False)
    steps: dict[str, list[float]] = {}
    spans: dict[tuple[UUID, int], list[Any]] = {}
    for run_id, index, key, started, ended in done.values_list(
        "run_id", "stage__index", "key", "started_at", "ended_at"
    ):
        assert started is not None and ended is not None, "a completed step has its times"
        steps.setdefault(key, []).append((ended - started).total_seconds())
        spans.setdefault((run_id, index), []).extend((started, ended))
    stages: dict[int, list[float]] = {}
    for (_, index), times in spans.items():
        stages.setdefault(index, []).append((max(times) - min(times)).total_seconds())
    return {"runs": len(ids), "steps": _medians(steps), "stages": _medians(stages)}


def usual_seconds(projects: list[Project]) -> dict[UUID, float]:
    """How long a run of each of these projects usually takes; one that never completed is missing."""
    done = Run.objects.filter(project__in=projects, status=RunStatus.COMPLETED)
    age = Window(RowNumber(), partition_by="project_id", order_by="-started_at")
    newest = done.annotate(age=age).filter(age__lte=RUNS_ASKED).order_by()
    took: dict[UUID, list[float]] = {}
    for project_id, started, ended in newest.values_list("project_id", "started_at", "ended_at"):
        assert ended is not None, "a completed run has ended"
        took.setdefault(project_id, []).append((ended - started).total_seconds())
    return _medians(took)


def tries_of(run: Run) -> list[dict[str, Any]]:
    """Every try of the run's steps that an agent had in hand, oldest first."""
    keys = {str(task): key for task, key in run.steps.filter(task__isnull=False).values_list("task_id", "key")}
    commands = commands_between(run.team_id, run.started_at, run.ended_at)
    commands = commands.filter(purpose="task", context__task_id__in=list(keys))
    return [
        {
            "step": keys[command.context["task_id"]],
            "attempt": command.attempt,
            "agent": command.agent_name or None,
            "agent_id": str(command.agent_id) if command.agent_id else None,
            "status": _as_step(command.status),
            "exit_code": command.exit_code,
            "error": command.error or None,
            "started_at": _time(command.started_at),
            "ended_at": _time(command.ended_at),
        }
        for command in commands.order_by("created_at")
    ]


def _medians(found: dict[Any, list[float]]) -> dict[Any, float]:
    return {name: round(median(seconds), 3) for name, seconds in found.items()}


def _as_step(status: str) -> str:
    """A command's state in the words of steps."""
    words = {
        Command.Status.SENT: StepStatus.QUEUED,
        Command.Status.SUCCEEDED: StepStatus.COMPLETED,
        Command.Status.INTERRUPTED: StepStatus.CANCELLED,
    }
    return str(words.get(Command.Status(status), status))


def _time(at: Any) -> str | None:
    return wire.timestamp(at) if at else None
