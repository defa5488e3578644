"""A task's life: try, try again, end. Commands come and go; the task is what stays.

`apply` is called from below when a command has changed, and tells of it; whoever calls the others tells by itself.
All of it happens while the team is locked (`agents.lock_team`), so that no two transactions wait in a circle.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from apps.accounts.refusals import Refusal
from apps.agents import services as agents
from apps.agents.contract import TeamTopic
from apps.agents.models import Command
from apps.events import log, wire
from apps.events.models import StoredEvent
from apps.tasks.contract import TaskUpdated
from apps.tasks.models import Status, Task
from apps.tasks.owners import owner_of

PURPOSE = "task"
FAILED = "failed"
LOST = "lost"
ENDED_BY_AGENT = "Its agent had to end it."

_in_hand: ContextVar[UUID | None] = ContextVar("task_in_hand", default=None)


def write(task: Task) -> Task:
    """Store a new task, as `begin` finds it."""
    task.agent_name, task.attempt = task.wanted_agent, 1
    task.save(force_insert=True)
    return task


def begin(task: Task) -> Task:
    """Ask for the first try of a task that was written."""
    _ask_for_command(task)
    task.save()
    return task


def note_cancel(task: Task, *, by: str) -> Task:
    """Somebody wants a task to end: from here on it is not tried again."""
    task = Task.objects.select_for_update(of=("self",), no_key=True).get(pk=task.pk)
    task.cancelled_by = task.cancelled_by or by
    task.save(update_fields=["cancelled_by"])
    return task


def cancel(task: Task, *, by: str) -> Task:
    """End a task: one that waits is over now, one that runs when its agent has stopped it."""
    task = note_cancel(task, by=by)
    if task.is_over:
        return task
    if task.command is None:
        _end(task, Status.CANCELLED, error=f"Cancelled by {by}.")
    else:
        with _held(task):
            _follow(task, agents.interrupt(task.command, by=by))
    task.save()
    return task


def apply(command: Command) -> None:
    """A command has come into another state: so does its task. The same news twice is no news."""
    task_id = UUID(command.context["task_id"])
    if _in_hand.get() == task_id:
        return  # Whoever has it in hand looks at the command.
    task = Task.objects.select_for_update(of=("self",), no_key=True).filter(pk=task_id, command_id=command.pk).first()
    if task is None or task.is_over:
        return
    before = visible(task)
    _follow(task, command)
    if visible(task) != before:
        task.save()
        tell(task)


def tell(task: Task) -> StoredEvent:
    """Tell the task's owner and its team what it has become."""
    if owner := owner_of(task.purpose):
        owner.task_changed(task)
    return log.append(TeamTopic(team_id=task.team_id), TaskUpdated.of(task))


def visible(task: Task) -> tuple[Any, ...]:
    """What others see of a task; a change of it is news."""
    return (*task.as_data().values(), task.agent_id, task.command_id)


def _try_again(task: Task) -> None:
    """Forget the last try, and ask for another one."""
    task.attempt += 1
    task.status, task.started_at, task.ended_at = Status.QUEUED, None, None
    task.agent, task.agent_name, task.result = None, task.wanted_agent, {}
    _ask_for_command(task)


def _ask_for_command(task: Task) -> None:
    """If that is refused, the task has failed."""
    try:
        with _held(task):
            command = agents.request_command(
                team_id=task.team_id,
                agent=task.wanted_agent or None,
                label=task.label or None,
                kind=task.kind,
                purpose=PURPOSE,
                spec=task.spec,
                attempt=task.attempt,
                context={**task.context, "task_id": str(task.pk), "purpose": task.purpose},
                by=task.author_name,
            )
    except Refusal as refusal:
        task.command = None
        _end(task, Status.FAILED, error=refusal.message)
        return
    task.command = command
    _follow(task, command)


def _follow(task: Task, command: Command) -> None:
    """Bring the task to where its command is."""
    if task.agent_id != command.agent_id:
        task.agent, task.agent_name = command.agent, command.agent_name or task.wanted_agent
    match command.status:
        case "running":
            task.status = Status.RUNNING
            task.started_at = task.started_at or command.started_at or wire.now()
        case "succeeded":
            _end(task, Status.COMPLETED, command)
        case "interrupted" if command.interrupt_sent_at:
            _end(task, Status.CANCELLED, command)
        case "failed":
            _end_try(task, command, lost=False)
        case "lost" | "interrupted":  # by its agent, which had to end
            task.losses += 1
            _end_try(task, command, lost=True)


def _end_try(task: Task, command: Command, *, lost: bool) -> None:
    is_unwanted = bool(task.cancelled_by or command.interrupt_sent_at)
    if not is_unwanted and task.may_try_again(lost=lost):
        task.result = _result_of(command, outcome=LOST if lost else FAILED)
        if owner := owner_of(task.purpose):
            owner.try_ended(task)
        _try_again(task)
    else:
        _end(task, Status.CANCELLED if is_unwanted else Status.FAILED, command, outcome=LOST if lost else "")


def _end(task: Task, status: Status, command: Command | None = None, *, error: str = "", outcome: str = "") -> None:
    task.status, task.ended_at = status, wire.now()
    if status == Status.COMPLETED:
        task.progress = 100
    if command is None:
        task.result = {"exit_code": None, "error": error, "outcome": outcome or status.value}
    else:
        task.result = _result_of(command, outcome=outcome or status.value)


def _result_of(command: Command, *, outcome: str) -> dict[str, Any]:
    error = command.error or (ENDED_BY_AGENT if command.status == "interrupted" and outcome == LOST else "")
    return {"exit_code": command.exit_code, "error": error, "outcome": outcome}


@contextmanager
def _held(task: Task) -> Iterator[None]:
    """While a task is in hand, news of its command comes back by return value and not from below."""
    token = _in_hand.set(task.pk)
    try:
        yield
    finally:
        _in_hand.reset(token)
