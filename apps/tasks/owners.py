"""Who owns a task: the registry through which rooms above hear of theirs, so that tasks knows none of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from apps.events.declare import Event, Topic
from apps.tasks.models import Task


class Owner(Protocol):
    """What a room above tasks does about its own ones."""

    def task_changed(self, task: Task) -> None:
        """The task's row has changed. Called in the same transaction, before the team is told."""

    def try_ended(self, task: Task) -> None:
        """A try has failed or was lost (`task.result` says which), and another one follows."""

    def mirror(self, context: dict[str, Any], text: str, offset: int, at: datetime) -> tuple[Topic, Event] | None:
        """A piece of the task's output as an event of the owner. Pure: called per output frame, no database.

        `context` is the task's, with `task_id`, `agent` (its name) and `agent_id` added.
        """


O = TypeVar("O", bound=type[Owner])  # noqa: E741

_owners: dict[str, Owner] = {}


def owns(purpose: str) -> Callable[[O], O]:
    """Declare the class that owns tasks of this purpose."""

    def register(owner: O) -> O:
        _owners[purpose] = owner()
        return owner

    return register


def owner_of(purpose: str) -> Owner | None:
    return _owners.get(purpose)
