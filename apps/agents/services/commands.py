"""A command's life: asked for, given to an agent, moved from state to state, interrupted.

Whoever changes commands of a team locks the team first: so choosing an agent is free of races, and two transactions
never wait for each other's rows in a circle.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.models import Team
from apps.accounts.refusals import Conflict, NotFound
from apps.agents import selectors
from apps.agents.carriers import carrier_of
from apps.agents.contract import (
    AgentTopic,
    AgentUpdated,
    CommandChanged,
    CommandRequested,
    InterruptCommand,
    InterruptRequested,
    RequestCommand,
    TeamTopic,
)
from apps.agents.models import Agent, Command
from apps.agents.services import facts
from apps.events import log, wire
from apps.events.dispatch import handles
from apps.events.models import StoredEvent

Status = Command.Status

READ_AHEAD = 20
"""Waiting commands that are read at a time."""


@handles(RequestCommand)
def request_for_agent(actor: Actor, topic: AgentTopic, frame: RequestCommand) -> StoredEvent | None:
    """Give one agent a command."""
    agent = locked_agent(topic.agent_id)
    command = Command(
        team_id=agent.team_id, kind=frame.kind, spec=frame.spec.model_dump(mode="json"), requested_by=actor.name
    )
    return _send(command, agent, is_named=True)


@handles(InterruptCommand)
def interrupt_command(actor: Actor, topic: AgentTopic, frame: InterruptCommand) -> StoredEvent | None:
    """Stop one command of this agent."""
    command = Command.objects.filter(pk=frame.command_id, agent_id=topic.agent_id).first()
    if command is None:
        raise NotFound("This agent has no such command.")
    lock_team(command.team_id)
    command = locked(command.pk)
    if command.is_over:
        raise Conflict(f"This command is over already: {command.status}.")
    return _interrupt(command, by=actor.name)


def request_command(
    *,
    team_id: UUID,
    spec: dict[str, Any],
    agent: str | None = None,
    label: str | None = None,
    kind: str = "shell",
    purpose: str = "",
    attempt: int = 1,
    context: dict[str, Any] | None = None,
    by: str = "",
) -> Command:
    """Ask for a command: of an agent by name, of one with a label, or of any. Inside a transaction. Raises NotFound.

    It is `sent` if an agent has it in its inbox now, else `queued` until one is free.
    """
    lock_team(team_id)
    command = Command(
        team_id=team_id,
        spec=spec,
        label=label or "",
        kind=kind,
        purpose=purpose,
        attempt=attempt,
        context=context or {},
        requested_by=by,
    )
    if agent is not None:
        named = Agent.objects.filter(team_id=team_id, name=agent).first()
        if named is None:
            raise NotFound(f'This team has no agent called "{agent}".')
        _send(command, named, is_named=True)
        return command
    assign_waiting(team_id)  # A slot that has just got free belongs to whoever has waited for longer.
    if best := selectors.best_of(selectors.free_agents(team_id), command):
        _send(command, best)
    else:
        command.save(force_insert=True)
    return command


def interrupt(command: Command, *, by: str = "") -> Command:
    """Stop a command, wherever it is; what is over stays as it is. The command as it is now. Inside a transaction."""
    lock_team(command.team_id)
    command = locked(command.pk)
    if not command.is_over and command.interrupt_sent_at is None:
        _interrupt(command, by=by)
    return command


def assign_waiting(team_id: UUID) -> None:
    """Give queued commands to agents with free slots, oldest first. The team is locked."""
    given = list(_matches(selectors.free_agents(team_id), team_id))  # All is read before anything is written.
    for command, agent in given:
        _send(command, agent)
        tell_carrier(command)


def move(command: Command, status: str, **fields: Any) -> StoredEvent | None:
    """Bring a command into another state, and tell its agent's topic, its owner and the team.

    The event is the one on the agent's topic; None if the command has no agent. Raises Conflict if it cannot go there.
    """
    if not command.may_become(status):
        raise Conflict(f"A command that is {command.status} cannot become {status}.")
    command.status = status
    for name, value in fields.items():
        setattr(command, name, value)
    if status == Status.RUNNING:
        command.started_at = wire.now()
    if command.is_over:
        command.ended_at = wire.now()
        if command.interrupt_sent_at:
            command.interrupt_stopped_at = command.ended_at
    command.save()
    if status == Status.RUNNING:
        transaction.on_commit(partial(facts.learn, command.pk, facts.Facts.of(command)))
    else:
        transaction.on_commit(partial(facts.forget, command.pk))
    stored = None
    if command.agent_id:
        stored = log.append(AgentTopic(agent_id=command.agent_id), CommandChanged.of(command))
    tell_carrier(command)
    if command.is_over and command.agent_id:
        assign_waiting(command.team_id)
        announce(command.agent)
    return stored


def give_up(commands: Iterable[Command], why: str) -> None:
    """These commands have no agent any more that would end them. The team is locked."""
    for command in commands:
        move(command, Status.LOST, error=why)


def take_back(agent: Agent) -> None:
    """Requests that this agent did not claim, and that others may carry out, wait again. The team is locked."""
    for command in agent.commands.filter(status=Status.SENT, is_named=False):
        command.status, command.agent, command.agent_name = Status.QUEUED, None, ""
        command.sent_at = command.request_seq = None
        command.save()
        log.append(AgentTopic(agent_id=agent.pk), CommandChanged.of(command))
        tell_carrier(command)
    assign_waiting(agent.team_id)


def send_again(command: Command) -> None:
    """Put a request into the inbox once more, since the first one was pruned."""
    command.request_seq = log.append(AgentTopic(agent_id=command.agent_id), CommandRequested.of(command)).seq
    command.save(update_fields=["request_seq"])


def lock_team(team_id: UUID) -> None:
    """Wait until no other transaction works on this team's commands."""
    list(Team.objects.select_for_update(of=("self",), no_key=True).filter(pk=team_id).values_list("pk"))


def locked_agent(agent_id: UUID) -> Agent:
    """The agent as it is once its team is locked. Raises NotFound."""
    lock_team(selectors.agent_of_topic(agent_id).team_id)
    return selectors.agent_of_topic(agent_id)


def locked(command_id: UUID) -> Command:
    return Command.objects.select_for_update(of=("self",), no_key=True).get(pk=command_id)


def announce(agent: Agent | None, change: str = "updated") -> None:
    """Tell the team what this agent is now."""
    if agent is not None:
        log.append(TeamTopic(team_id=agent.team_id), AgentUpdated.of(agent, change))


def tell_carrier(command: Command) -> None:
    if carrier := carrier_of(command.purpose):
        carrier.state_changed(command)


def _matches(agents: dict[Agent, int], team_id: UUID) -> Iterator[tuple[Command, Agent]]:
    """What waits, and who of these gets it. The queue may be long: it is read for as long as somebody has a slot."""
    for command in selectors.waiting_for(agents, team_id).iterator(chunk_size=READ_AHEAD):
        if agent := selectors.best_of(agents, command):
            yield command, agent
            agents[agent] += 1
            if agents[agent] >= agent.slots:
                del agents[agent]
        if not agents:
            return


def _send(command: Command, agent: Agent, *, is_named: bool = False) -> StoredEvent:
    """Put a command into an agent's inbox."""
    if not agent.accepts_kind(command.kind):
        raise Conflict(f'The agent "{agent.name}" does not accept commands of kind {command.kind}.')
    stored = log.append(AgentTopic(agent_id=agent.pk), CommandRequested.of(command))
    command.agent, command.agent_name, command.is_named = agent, agent.name, is_named
    command.status, command.sent_at, command.request_seq = Status.SENT, wire.now(), stored.seq
    command.save()
    announce(agent)
    return stored


def _interrupt(command: Command, *, by: str) -> StoredEvent | None:
    """What nobody has claimed is over at once; what runs is over when its agent says so."""
    if command.status != Status.RUNNING:
        at = wire.now()
        why = f"Interrupted by {by or SYSTEM.name} before it started."
        return move(command, Status.INTERRUPTED, error=why, interrupt_sent_at=at)
    command.interrupt_sent_at = command.interrupt_sent_at or wire.now()
    command.save(update_fields=["interrupt_sent_at"])
    topic = AgentTopic(agent_id=command.agent_id)
    return log.append(topic, InterruptRequested(command_id=command.pk, by=by or SYSTEM.name))
