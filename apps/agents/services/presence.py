"""Agents come, prove that they are alive, and go."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Min, QuerySet

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.refusals import Conflict, Forbidden
from apps.agents import selectors
from apps.agents.contract import (
    AgentConnected,
    AgentMeasured,
    AgentStatusChanged,
    AgentTopic,
    ConnectAgent,
    InterruptRequested,
    ReportStatus,
    TerminalTopic,
)
from apps.agents.models import Agent, Command
from apps.agents.services.commands import (
    announce,
    assign_waiting,
    give_up,
    lock_team,
    locked_agent,
    send_again,
    take_back,
)
from apps.events import log, wire
from apps.events.dispatch import handles, on_disconnect
from apps.events.models import StoredEvent

Status = Agent.Status
# A heartbeat may still name a command whose end has just arrived, and not yet one that was just claimed.
STRAY_AGE = timedelta(seconds=2)
UNKNOWN = "The agent does not know this command any more."


@handles(ConnectAgent)
def connect_agent(actor: Actor, topic: None, frame: ConnectAgent) -> StoredEvent:
    """An agent process introduces itself on a new connection; the event is the answer it gets."""
    if actor.key is None:
        raise Forbidden("Only an agent, which has an API key, can introduce itself as one.")
    lock_team(actor.key.team_id)
    agent = Agent.objects.filter(team_id=actor.key.team_id, name=frame.name).first()
    is_new = agent is None
    agent = agent or Agent(team_id=actor.key.team_id, name=frame.name)
    is_another_life = agent.instance != frame.instance

    agent.key, agent.instance, agent.connection = actor.key, frame.instance, actor.connection
    agent.accepts, agent.labels, agent.slots = frame.accepts, frame.labels, frame.slots
    agent.version, agent.platform, agent.status = frame.version, frame.platform, Status.ONLINE
    agent.connected_at = agent.seen_at = wire.now()
    agent.lease_until, agent.ended = _lease_end(), _as_text(frame.ended)
    agent.save()

    running = set(frame.running)
    _settle(agent, running, is_another_life=is_another_life)
    announce(agent, "registered" if is_new else "updated")
    assign_waiting(agent.team_id)
    # What it has of a request that went back to the queue may have been given to it again.
    return log.append(_topic(agent), _answer_to(agent, sorted(running - _assigned(agent))))


@handles(ReportStatus)
def report_status(actor: Actor, topic: AgentTopic, frame: ReportStatus) -> None:
    """A heartbeat. It becomes an event only when people see a difference; metrics are whispered."""
    agent = selectors.agent_of_topic(topic.agent_id)
    _check_is_present(actor, agent, frame)
    named = set(frame.running)
    claimed = set(agent.commands.filter(status=Command.Status.RUNNING).values_list("pk", flat=True))
    if frame.leaving or not agent.is_online or (claimed - named and _unknown_to(agent, named).exists()):
        agent = locked_agent(agent.pk)
        # While we waited for the lock, another process may have taken the name.
        _check_is_present(actor, agent, frame)
        if frame.leaving:
            end_lease(agent, "The agent was stopped.")
            return
        if not agent.is_online:
            revive(agent, actor)
        give_up(_unknown_to(agent, named), UNKNOWN)
    metrics = frame.metrics.model_dump(mode="json")
    present = Agent.objects.filter(pk=agent.pk, instance=frame.instance)
    present.update(lease_until=_lease_end(), seen_at=wire.now(), metrics=metrics, ended=_as_text(frame.ended))
    if named - claimed:
        _stop_strays(agent, named - claimed)
    if metrics != agent.metrics:
        log.whisper(topic, AgentMeasured(agent_id=agent.pk, metrics=frame.metrics, running=len(frame.running)))


@on_disconnect
def note_disconnect(actor: Actor) -> None:
    """A socket has ended. Its agent may be back in a moment, so its lease goes on."""
    if not actor.connection or actor.key is None:
        return
    for agent in Agent.objects.filter(connection=actor.connection, status=Status.ONLINE):
        lock_team(agent.team_id)
        if Agent.objects.filter(pk=agent.pk, connection=actor.connection).update(connection="", status=Status.AWAY):
            agent.status = Status.AWAY
            log.append(_topic(agent), AgentStatusChanged(status=Status.AWAY.value))
            announce(agent)


def end_lease(agent: Agent, why: str) -> None:
    """The agent is gone: what it ran is lost, what it did not claim may go elsewhere. The team is locked."""
    agent.status, agent.connection, agent.lease_until = Status.OFFLINE, "", None
    agent.save(update_fields=["status", "connection", "lease_until"])
    log.append(_topic(agent), AgentStatusChanged(status=Status.OFFLINE.value))
    give_up(agent.commands.filter(status=Command.Status.RUNNING), why)
    take_back(agent)
    announce(agent)


def revive(agent: Agent, actor: Actor) -> None:
    """An agent whose lease had ended, or whose socket seemed to have, is heard of. The team is locked."""
    agent.connected_at = agent.seen_at = wire.now()
    agent.status, agent.lease_until = Status.ONLINE, _lease_end()
    agent.connection = agent.connection or actor.connection
    agent.save(update_fields=["status", "lease_until", "seen_at", "connection", "connected_at"])
    log.append(_topic(agent), AgentStatusChanged(status=Status.ONLINE.value))
    announce(agent)
    assign_waiting(agent.team_id)


def delete_agent(agent: Agent) -> None:
    """Forget an agent that is not connected. Its commands stay, as history. Inside a transaction. Raises Conflict."""
    lock_team(agent.team_id)
    agent.refresh_from_db()
    if agent.status != Status.OFFLINE:
        raise Conflict(f'The agent "{agent.name}" is {agent.status}; stop it first.')
    take_back(agent)
    unclaimed = list(agent.commands.filter(status=Command.Status.SENT).values_list("pk", flat=True))
    announce(agent, "deleted")
    agent.delete()
    # Only now: whoever asks for another try must not find the agent any more.
    give_up(Command.objects.filter(pk__in=unclaimed), "Its agent was deleted.")


def lease_seconds() -> float:
    return float(settings.AGENT_LEASE_SECONDS)


def _check_is_present(actor: Actor, agent: Agent, frame: ReportStatus) -> None:
    if agent.instance != frame.instance:
        raise Conflict(f'Another process is connected as "{agent.name}" now.')
    selectors.check_speaks_for(actor, agent.key_id)


def _settle(agent: Agent, running: set[UUID], *, is_another_life: bool) -> None:
    """Bring the rows into line with what the agent says it has, and may have other labels or slots now."""
    held = agent.commands.filter(status=Command.Status.RUNNING)
    if is_another_life:
        take_back(agent)
        give_up(held, "The agent was started anew.")
    else:
        give_up(held.exclude(pk__in=running, instance=agent.instance), UNKNOWN)


def _assigned(agent: Agent) -> set[UUID]:
    return set(agent.commands.filter(status__in=Command.ASSIGNED).values_list("pk", flat=True))


def _unknown_to(agent: Agent, running: Collection[UUID]) -> QuerySet[Command]:
    """What it claimed a while ago and does not name among what it has."""
    claimed = agent.commands.filter(status=Command.Status.RUNNING, started_at__lt=wire.now() - STRAY_AGE)
    return claimed.exclude(pk__in=running)


def _answer_to(agent: Agent, stop: list[UUID]) -> AgentConnected:
    topic = _topic(agent)
    at = log.cursor(topic)
    requests = agent.commands.filter(status__in=Command.ASSIGNED)
    for command in requests.filter(status=Command.Status.SENT, request_seq__lte=at.floor).order_by("created_at"):
        send_again(command)
    oldest = requests.filter(request_seq__gt=at.floor).aggregate(seq=Min("request_seq"))["seq"]
    return AgentConnected(
        agent_id=agent.pk,
        topic=str(topic),
        terminal=str(TerminalTopic(agent_id=agent.pk)),
        after=at.seq if oldest is None else oldest - 1,
        epoch=at.epoch,
        lease_seconds=lease_seconds(),
        heartbeat_seconds=lease_seconds() / 3,
        instance=agent.instance,
        stop=stop,
    )


def _stop_strays(agent: Agent, running: Collection[UUID]) -> None:
    """Ask the agent, once, to stop what it runs although we have given it up."""
    given_up = agent.commands.filter(
        pk__in=running,
        status__in=(Command.Status.LOST, Command.Status.FAILED),
        interrupt_sent_at=None,
        stray_stop_sent_at=None,
        ended_at__lt=wire.now() - STRAY_AGE,
    )
    for command in given_up:
        Command.objects.filter(pk=command.pk).update(stray_stop_sent_at=wire.now())
        log.append(_topic(agent), InterruptRequested(command_id=command.pk, by=SYSTEM.name))


def _as_text(command_ids: Collection[UUID]) -> list[str]:
    return [str(id) for id in command_ids]


def _topic(agent: Agent) -> AgentTopic:
    return AgentTopic(agent_id=agent.pk)


def _lease_end() -> datetime:
    return wire.now() + timedelta(seconds=lease_seconds())
