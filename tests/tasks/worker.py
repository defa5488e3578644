"""An agent as the server sees one: it connects, claims what its inbox holds, and reports, all through frames."""

from typing import Any
from uuid import uuid4

from apps.accounts.actors import Actor
from apps.accounts.models import ApiKey
from apps.agents.models import Agent, Command
from apps.events.dispatch import perform_sync


class Worker:
    """An agent of the key's team."""

    def __init__(
        self, key: ApiKey, name: str = "box-1", *, labels: tuple[str, ...] = ("local",), slots: int = 8
    ) -> None:
        self.key, self.name, self.instance = key, name, uuid4().hex
        self.actor = Actor(key=key, connection=f"connection of {name}")
        introduction = {
            "name": name,
            "instance": self.instance,
            "accepts": ["shell"],
            "labels": list(labels),
            "slots": slots,
            "version": "1",
            "platform": "a test",
            "running": [],
        }
        ack = perform_sync(self.actor, {"type": "agent:connect", "id": uuid4().hex, "data": introduction})
        self.agent_id = ack["data"]["agent_id"]

    def inbox(self) -> list[Command]:
        """The commands that wait for this agent to claim them, oldest first."""
        return list(Command.objects.filter(agent_id=self.agent_id, status="sent").order_by("created_at"))

    def claim(self, command: Command) -> None:
        self.report(command, "running")

    def report(self, command: Command, status: str, **data: Any) -> None:
        frame = {
            "type": "command:state",
            "id": uuid4().hex,
            "topic": f"agent.{self.agent_id}",
            "data": {"command_id": str(command.pk), "status": status} | data,
        }
        perform_sync(self.actor, frame)

    def vanish(self) -> None:
        """Be gone, as after the end of the lease."""
        frame = {
            "type": "agent:status",
            "id": uuid4().hex,
            "topic": f"agent.{self.agent_id}",
            "data": {"instance": self.instance, "leaving": True},
        }
        perform_sync(self.actor, frame)

    def team_forgets(self, name: str) -> None:
        """Somebody deletes another agent of the team."""
        Agent.objects.filter(name=name, team_id=self.key.team_id).delete()

    def carry_out(self, command: Command, exit_code: int = 0) -> None:
        """Claim a command and end it with this exit code."""
        self.claim(command)
        self.report(command, "failed" if exit_code else "succeeded", exit_code=exit_code)

    def carry_out_all(self, exit_code: int = 0) -> int:
        """Carry out what the inbox holds now, and tell how many that were."""
        commands = self.inbox()
        for command in commands:
            self.carry_out(command, exit_code)
        return len(commands)
