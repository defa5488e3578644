"""Questions about tasks."""

from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.accounts.refusals import Invalid, NotFound
from apps.accounts.selectors import team_ids_of, teams_of
from apps.tasks.models import Task


def tasks_of(actor: Actor, *, team_id: UUID | None = None) -> QuerySet[Task]:
    """The tasks that `actor` may see, newest first."""
    tasks = Task.objects.filter(team__in=team_ids_of(actor))
    return tasks if team_id is None else tasks.filter(team_id=team_id)


def task_for(actor: Actor, task_id: UUID) -> Task:
    """One of them. Raises NotFound, for strangers as for nothing."""
    task = tasks_of(actor).filter(pk=task_id).first()
    if task is None:
        raise NotFound("There is no such task.")
    return task


def team_for(actor: Actor, team_id: UUID | None = None) -> Team:
    """The named team of `actor`, else the oldest one. Raises NotFound, Invalid if there is none."""
    if team_id is not None:
        team = teams_of(actor).filter(pk=team_id).first()
        if team is None:
            raise NotFound("There is no such team.")
        return team
    team = teams_of(actor).order_by("created_at", "id").first()
    if team is None:
        raise Invalid("You belong to no team yet.")
    return team
