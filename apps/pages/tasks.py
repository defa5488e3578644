"""What the pages about tasks ask: lists by state, and what a task has printed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils.text import capfirst

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.agents.contract import TerminalTopic
from apps.agents.models import Command
from apps.agents.selectors import commands_between
from apps.events.models import Head, StoredEvent
from apps.pages.words import in_words
from apps.tasks.models import Status, Task
from apps.tasks.selectors import tasks_of

LISTED = 100
STATES = {
    "": "All",
    **{status.value: capfirst(in_words(status.value)) for status in Status},
}


@dataclass(frozen=True, slots=True)
class State:
    """A state to filter by, and how many tasks have it."""

    name: str
    words: str
    count: int


def states(actor: Actor, teams: list[Team]) -> list[State]:
    tasks = tasks_of(actor).filter(team__in=teams)
    counts = dict(tasks.order_by().values_list("status").annotate(Count("pk")))
    return [
        State(name, words, counts.get(Status(name), 0) if name else sum(counts.values()))
        for name, words in STATES.items()
    ]


def tasks_listed(actor: Actor, teams: list[Team], state: str) -> list[dict[str, Any]]:
    """The newest tasks in this state, or in any."""
    tasks = tasks_of(actor).filter(team__in=teams)
    if state:
        tasks = tasks.filter(status=state)
    return [task.as_data() | {"team_id": task.team_id} for task in tasks[:LISTED]]


def tries_of(task: Task) -> list[Command]:
    """The commands that tried to do it, oldest first."""
    commands = commands_between(task.team_id, task.created_at, task.ended_at)
    return list(commands.filter(context__task_id=str(task.pk)).order_by("attempt", "created_at"))


def printed_by(command: Command) -> tuple[TerminalTopic, int] | None:
    """Where its output is: the terminal, and the seq up to which it lies there; None while no agent has it."""
    if command.agent_id is None:
        return None
    topic = TerminalTopic(agent_id=command.agent_id)
    return topic, seq_until(str(topic), command.ended_at)


def seq_until(topic: str, at: datetime | None) -> int:
    """The seq of the last event that was stored by then; events are in the order of their time."""
    head = Head.objects.filter(topic=topic).first()
    if head is None:
        return 0
    if at is None:
        return head.seq
    low, high = head.floor, head.seq
    while low < high:
        middle = (low + high + 1) // 2
        # One that is pruned meanwhile was there before.
        if StoredEvent.objects.filter(topic=topic, seq=middle, created_at__gt=at).exists():
            high = middle - 1
        else:
            low = middle
    return low
