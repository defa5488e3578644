"""What can be done about tasks."""

from datetime import datetime
from typing import Any

from apps.accounts.actors import Actor
from apps.accounts.refusals import Conflict, NotFound
from apps.agents import services as agents
from apps.agents.carriers import carries
from apps.agents.contract import TeamTopic
from apps.agents.models import Command
from apps.agents.selectors import is_known
from apps.events.declare import Event, Topic
from apps.events.dispatch import handles
from apps.events.models import StoredEvent
from apps.tasks import life
from apps.tasks.contract import CancelTask, SubmitTask
from apps.tasks.models import Task
from apps.tasks.owners import owner_of


@handles(SubmitTask)
def submit_task(actor: Actor, team: TeamTopic, frame: SubmitTask) -> StoredEvent:
    """Queue a task and tell the team, then ask for its first try."""
    agents.lock_team(team.team_id)
    if frame.agent is not None and not is_known(team.team_id, frame.agent):
        raise NotFound(f'This team has no agent called "{frame.agent}".')
    task = life.write(
        Task(
            team_id=team.team_id,
            author=actor.user,
            author_name=actor.name,
            query=frame.query,
            spec={"shell": frame.command or frame.query, "timeout": frame.timeout},
            wanted_agent=frame.agent or "",
            label=frame.label or "",
            retries=frame.retries,
        )
    )
    stored = life.tell(task)
    _tell_of_change(task, life.begin(Task.objects.get(pk=task.pk)))
    return stored


@handles(CancelTask)
def cancel_task(actor: Actor, team: TeamTopic, frame: CancelTask) -> StoredEvent:
    """Tell the team that a task is to end, and end it."""
    agents.lock_team(team.team_id)
    task = Task.objects.filter(pk=frame.task_id, team_id=team.team_id).first()
    if task is None:
        raise NotFound("There is no such task.")
    if task.is_over:
        raise Conflict(f"This task is over already: {task.status}.")
    task = life.note_cancel(task, by=actor.name)
    stored = life.tell(task)
    _tell_of_change(task, life.cancel(task, by=actor.name))
    return stored


@carries(life.PURPOSE)
class TaskCarrier:
    """Commands that try to do a task."""

    def state_changed(self, command: Command) -> None:
        life.apply(command)

    def mirror(self, context: dict[str, Any], text: str, offset: int, at: datetime) -> tuple[Topic, Event] | None:
        owner = owner_of(context.get("purpose", ""))
        return owner.mirror(context, text, offset, at) if owner else None


def _tell_of_change(before: Task, after: Task) -> None:
    if life.visible(before) != life.visible(after):
        life.tell(after)
