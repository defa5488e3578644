from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.actors import Actor
from apps.agents.models import Agent, Command
from apps.agents.services import facts
from apps.events.dispatch import perform_sync
from apps.events.models import StoredEvent

_ids = count(1)


class Worker:
    """An agent as the server sees it: one key, one connection at a time, and the frames it sends."""

    def __init__(self, key: Any, name: str) -> None:
        self.key, self.name = key, name
        self.instance = "life-1"
        self.actor = self._fresh_actor()
        self.id = ""

    def connect(self, **data: Any) -> dict[str, Any]:
        """Introduce itself on a new connection; the answer."""
        self.actor = self._fresh_actor()
        introduction = {"name": self.name, "instance": self.instance, **data}
        answer = self._send("agent:connect", None, introduction)["data"]
        self.id = answer["agent_id"]
        return answer

    def restart(self, **data: Any) -> dict[str, Any]:
        self.instance = f"life-{next(_ids)}"
        return self.connect(**data)

    def status(self, **data: Any) -> dict[str, Any]:
        return self._send("agent:status", f"agent.{self.id}", {"instance": self.instance, **data})

    def report(self, command: Any, status: str, *, id: str | None = None, **data: Any) -> dict[str, Any]:
        return self._send(
            "command:state", f"agent.{self.id}", {"command_id": str(_id(command)), "status": status, **data}, id=id
        )

    def claim(self, command: Any) -> dict[str, Any]:
        return self.report(command, "running", instance=self.instance)

    def print(self, command: Any, text: str, offset: int = 0, *, id: str | None = None) -> dict[str, Any]:
        data = {"command_id": str(_id(command)), "offset": offset, "text": text}
        return self._send("terminal:output", f"terminal.{self.id}", data, id=id)

    @property
    def row(self) -> Agent:
        return Agent.objects.get(pk=self.id)

    @property
    def inbox(self) -> list[StoredEvent]:
        return list(StoredEvent.objects.filter(topic=f"agent.{self.id}").order_by("seq"))

    def inbox_of(self, type: str) -> list[dict[str, Any]]:
        return [event.payload for event in self.inbox if event.type == type]

    def _send(self, type: str, topic: str | None, data: Any, *, id: str | None = None) -> dict[str, Any]:
        return perform_sync(self.actor, {"type": type, "id": id or f"f{next(_ids)}", "topic": topic, "data": data})

    def _fresh_actor(self) -> Actor:
        return Actor(key=self.key, connection=uuid4().hex)


@pytest.fixture
def worker(agent_key) -> Worker:
    """A connected agent with one slot and the label `local`."""
    made = Worker(agent_key, "worker")
    made.connect(labels=["local"])
    return made


@pytest.fixture
def hire(agent_key) -> Callable[..., Worker]:
    """`hire("second", slots=2)`: another connected agent of the team."""

    def make(name: str, **data: Any) -> Worker:
        made = Worker(agent_key, name)
        made.connect(**data)
        return made

    return make


@pytest.fixture
def send() -> Callable[..., dict[str, Any]]:
    """`send(bob, "command:interrupt", topic, …)`: a person's frame; its ack's data."""

    def perform(user: Any, type: str, topic: str, *, id: str | None = None, **data: Any) -> dict[str, Any]:
        return perform_sync(
            Actor(user=user), {"type": type, "id": id or f"f{next(_ids)}", "topic": topic, "data": data}
        )

    return perform


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    facts.forget_all()


def _id(command: Any) -> Any:
    return command.pk if isinstance(command, Command) else command
