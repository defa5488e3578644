"""Whose command it is: the registry through which the rooms above hear of theirs, so that agents knows none of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from apps.agents.models import Command
from apps.events.declare import Event, Topic


class Carrier(Protocol):
    """What a room above does about commands of its purpose."""

    def state_changed(self, command: Command) -> None:
        """The command has come into another state. Called in the same transaction."""

    def mirror(self, context: dict[str, Any], text: str, offset: int, at: datetime) -> tuple[Topic, Event] | None:
        """A piece of output as an event of the owner. Pure: called per output frame, no database.

        `context` is the command's, with `command_id`, `agent` (its name) and `agent_id` added.
        """


C = TypeVar("C", bound=type[Carrier])

_carriers: dict[str, Carrier] = {}


def carries(purpose: str) -> Callable[[C], C]:
    """Declare the class that owns commands of this purpose."""

    def register(carrier: C) -> C:
        _carriers[purpose] = carrier()
        return carrier

    return register


def carrier_of(purpose: str) -> Carrier | None:
    return _carriers.get(purpose)
