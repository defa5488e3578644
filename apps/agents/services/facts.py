"""What has to be known of a command for each piece that it prints: looked up once, and believed for a moment.

It is forgotten as soon as the command goes on. Another process hears nothing of that, and finds it out a moment later.
"""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.accounts.refusals import Conflict, NotFound
from apps.agents.carriers import Carrier, carrier_of
from apps.agents.models import Command

BELIEVED_SECONDS = 2.0
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Facts:
    """Who prints, and for whom: what is over prints for nobody any more, since its owner has taken leave of it."""

    agent_id: UUID | None
    key_id: str | None
    carrier: Carrier | None
    context: dict[str, Any]


_believed: dict[UUID, tuple[float, Facts]] = {}
"""Until when, on the monotonic clock, and what."""


def facts_of(command_id: UUID) -> Facts:
    """Raises NotFound, or Conflict for what nobody has claimed, and then remembers nothing."""
    if (believed := _believed.get(command_id)) and time.monotonic() < believed[0]:
        return believed[1]
    facts = _look_up(command_id)
    if len(_believed) >= MOST:
        _believed.clear()
    _believed[command_id] = (time.monotonic() + BELIEVED_SECONDS, facts)
    return facts


def forget(command_id: UUID) -> None:
    _believed.pop(command_id, None)


def _look_up(command_id: UUID) -> Facts:
    command = Command.objects.select_related("agent").filter(pk=command_id).first()
    if command is None:
        raise NotFound("This agent has no such command.")
    if not command.instance:
        raise Conflict("Claim this command before printing.")
    more = {"command_id": str(command.pk), "agent": command.agent_name, "agent_id": str(command.agent_id)}
    return Facts(
        agent_id=command.agent_id,
        key_id=command.agent.key_id if command.agent else None,
        carrier=carrier_of(command.purpose) if command.status == Command.Status.RUNNING else None,
        context={**command.context, **more},
    )
