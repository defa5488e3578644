"""What has to be known of a command for each piece that it prints: looked up once, and believed for a moment.

It is forgotten as soon as the command goes on. Another process hears nothing of that, and finds it out a moment later.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.accounts.refusals import Conflict, NotFound
from apps.agents.carriers import Carrier, carrier_of
from apps.agents.models import Command

BELIEVED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Facts:
    """Who prints, and for whom: what is over prints for nobody any more, since its owner has taken leave of it."""

    agent_id: UUID | None
    key_id: str | None
    carrier: Carrier | None
    context: dict[str, Any]

    @classmethod
    def of(cls, command: Command) -> "Facts":
        more = {"command_id": str(command.pk), "agent": command.agent_name, "agent_id": str(command.agent_id)}
        return cls(
            agent_id=command.agent_id,
            key_id=command.agent.key_id if command.agent else None,
            carrier=carrier_of(command.purpose) if command.status == Command.Status.RUNNING else None,
            context={**command.context, **more},
        )


class Beliefs:
    """What is believed until the same moment; then those that print are looked up together, and the others dropped."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._facts: dict[UUID, Facts] = {}
        self._asked: set[UUID] = set()
        self._until = 0.0

    def of(self, command_id: UUID) -> Facts:
        """Raises NotFound, or Conflict for what nobody has claimed, and then remembers nothing."""
        if time.monotonic() >= self._until:
            self._renew()
        if (facts := self._facts.get(command_id)) is None:
            facts = self._facts[command_id] = _look_up(command_id)
        self._asked.add(command_id)
        return facts

    def learn(self, command_id: UUID, facts: Facts) -> None:
        """It was claimed a moment ago, so it will print soon."""
        self._facts[command_id] = facts
        self._asked.add(command_id)

    def forget(self, command_id: UUID) -> None:
        self._facts.pop(command_id, None)
        self._asked.discard(command_id)

    def _renew(self) -> None:
        asked, self._asked = self._asked, set()
        self._facts = {command.pk: Facts.of(command) for command in _claimed(asked)} if asked else {}
        self._until = time.monotonic() + BELIEVED_SECONDS


_beliefs = Beliefs()
facts_of = _beliefs.of
learn = _beliefs.learn
forget = _beliefs.forget
forget_all = _beliefs.clear


def _claimed(ids: Collection[UUID]) -> list[Command]:
    """Those of these commands that an agent has claimed."""
    commands = Command.objects.select_related("agent").filter(pk__in=ids).exclude(instance="")
    return list(commands.only("agent_name", "purpose", "status", "context", "agent__key"))


def _look_up(command_id: UUID) -> Facts:
    if found := _claimed([command_id]):
        return Facts.of(found[0])
    if Command.objects.filter(pk=command_id).exists():
        raise Conflict("Claim this command before printing.")
    raise NotFound("This agent has no such command.")
