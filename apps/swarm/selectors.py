"""Questions about projects and runs, with plain dicts as answers."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.accounts.actors import Actor
from apps.accounts.refusals import NotFound
from apps.accounts.roles import Role
from apps.accounts.selectors import role_in_team, team_ids_of, teams_of
from apps.events import store, wire
from apps.events.declare import Topic
from apps.swarm.models import STEP_IS_OPEN, Project, Run, Step, StepStatus

NOT_DONE = [*STEP_IS_OPEN, StepStatus.SKIPPED]


def role_in_run(actor: Actor, run_id: UUID) -> Role | None:
    """What `actor` may do in this run; None: a stranger, or there is no such run."""
    team_id = Run.objects.filter(pk=run_id).values_list("team_id", flat=True).first()
    return None if team_id is None else role_in_team(actor, team_id)


def projects_of(actor: Actor) -> QuerySet[Project]:
    """The projects that `actor` may see, by name."""
    return Project.objects.filter(team__in=teams_of(actor)).select_related("team")


def project_for(actor: Actor, project_id: UUID) -> Project:
    """One of them. Raises NotFound, for strangers as for nothing."""
    project = projects_of(actor).filter(pk=project_id).first()
    if project is None:
        raise NotFound("There is no such project.")
    return project


def runs_of(actor: Actor, *, team_id: UUID | None = None, project_id: UUID | None = None) -> QuerySet[Run]:
    """The runs that `actor` may see, newest first, with `done` and `total` steps."""
    runs = Run.objects.filter(team__in=team_ids_of(actor))
    if team_id is not None:
        runs = runs.filter(team_id=team_id)
    if project_id is not None:
        runs = runs.filter(project_id=project_id)
    return counted(runs)


def run_for(actor: Actor, run_id: UUID, *, project_id: UUID | None = None) -> Run:
    """One of them. Raises NotFound, for strangers as for nothing."""
    run = runs_of(actor, project_id=project_id).filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run.")
    return run


def latest_run(project: Project) -> Run | None:
    """The run that somebody who looks at a project wants to see: the newest one."""
    return latest_runs([project]).get(project.pk)


def latest_runs(projects: Iterable[Project]) -> dict[UUID, Run]:
    """That run of each of these projects; one that never ran is missing."""
    newest = Run.objects.filter(project=OuterRef("pk")).values("pk")[:1]
    of_each = Project.objects.filter(pk__in=[project.pk for project in projects]).values(newest=Subquery(newest))
    return {run.project_id: run for run in counted(Run.objects.filter(pk__in=of_each))}


def current_run_topic(actor: Actor, project_id: str) -> Topic | None:
    """The topic of that run; None before the first one. Raises NotFound, for strangers as for nothing."""
    try:
        run = latest_run(project_for(actor, UUID(project_id)))
    except ValueError:
        raise NotFound("There is no such project.") from None
    return Topic.parse(run.topic) if run else None


def counted(runs: QuerySet[Run]) -> QuerySet[Run]:
    """These runs with how many of their steps have ended (`done`), of how many (`total`)."""
    # Not a join, which would count the steps of every run before it takes the newest.
    steps = Step.objects.filter(run=OuterRef("pk")).order_by().values("run").annotate(count=Count("pk")).values("count")
    return runs.annotate(
        total=Coalesce(Subquery(steps), 0), done=Coalesce(Subquery(steps.exclude(status__in=NOT_DONE)), 0)
    )


def watch(run: Run) -> dict[str, Any]:
    """What a page needs to show a run and go on from there: the cursor, read first, then the state."""
    at = store.position(run.topic)
    return {"cursor": {"epoch": at.epoch, "seq": at.seq}, **state_of(Run.objects.get(pk=run.pk))}


def summary_of(run: Run) -> dict[str, Any]:
    """A run as lists show it."""
    done, total = counts(run)
    return {
        "id": str(run.pk),
        "topic": run.topic,
        "status": run.status,
        "project_id": str(run.project_id),
        "project": run.name,
        "team_id": str(run.team_id),
        "by": run.by,
        "done": done,
        "total": total,
        "percent": percent(done, total),
        "started_at": wire.timestamp(run.started_at),
        "ended_at": wire.timestamp(run.ended_at) if run.ended_at else None,
        "seconds": run.seconds,
        "error": _error_of(run),
    }


def state_of(run: Run) -> dict[str, Any]:
    """A run with its stages and steps. Its events tell exactly the same."""
    stages = [
        {"index": stage.index, "name": stage.name, "status": stage.status, "steps": list(_states(stage.steps.all()))}
        for stage in run.stages.prefetch_related("steps").order_by("index")
    ]
    return {**summary_of(run), "stages": stages}


def state_of_step(step: Step) -> dict[str, Any]:
    return {
        "key": step.key,
        "name": step.name,
        "command": step.command,
        "agent": step.agent or None,
        "agent_id": str(step.agent_uuid) if step.agent_uuid else None,
        "label": step.label or None,
        "allow_failure": step.allow_failure,
        "status": step.status,
        "task_id": str(step.task_id) if step.task_id else None,
        "attempt": step.attempt,
        "exit_code": step.exit_code,
        "error": step.error or None,
        "started_at": wire.timestamp(step.started_at) if step.started_at else None,
        "ended_at": wire.timestamp(step.ended_at) if step.ended_at else None,
    }


def percent(done: int, total: int) -> int:
    return done * 100 // total if total else 100


def _states(steps: Iterable[Step]) -> Iterable[dict[str, Any]]:
    return (state_of_step(step) for step in sorted(steps, key=lambda step: step.position))


def counts(run: Run) -> tuple[int, int]:
    if hasattr(run, "done"):
        return run.done, run.total  # type: ignore[attr-defined]  # annotated by `counted`
    steps = list(run.steps.values_list("status", flat=True))
    return sum(status not in NOT_DONE for status in steps), len(steps)


def _error_of(run: Run) -> dict[str, Any] | None:
    if not run.error_code:
        return None
    return {"code": run.error_code, "message": run.error, "step": run.error_step or None}
