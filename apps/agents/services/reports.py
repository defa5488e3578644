"""What agents say about their commands: claimed, printed, interrupted, ended."""

from uuid import UUID

from apps.accounts.actors import Actor
from apps.accounts.refusals import Conflict, NotFound
from apps.agents import selectors
from apps.agents.contract import AgentTopic, CommandChanged, PrintOutput, ReportCommand, TerminalPrinted, TerminalTopic
from apps.agents.models import Agent, Command
from apps.agents.services.commands import locked, locked_agent, move
from apps.agents.services.facts import facts_of
from apps.agents.services.presence import revive
from apps.events import log, wire
from apps.events.declare import Event, Topic
from apps.events.dispatch import handles, on_repeat
from apps.events.models import StoredEvent

Status = Command.Status


@handles(ReportCommand)
def report_command(actor: Actor, topic: AgentTopic, frame: ReportCommand) -> StoredEvent | None:
    """An agent claims a command, confirms a step of an interrupt, or says how a command ended."""
    agent = locked_agent(topic.agent_id)
    selectors.check_speaks_for(actor, agent.key_id)
    command = _own(agent, frame.command_id)
    if frame.interrupt:
        return _confirm_interrupt(command, topic, frame.interrupt)
    if frame.status == Status.RUNNING:
        return _claim(actor, agent, command, frame.instance)
    if command.status == Status.SENT:
        raise Conflict("This command was not claimed yet.")
    if command.instance != agent.instance:
        raise Conflict("This command was claimed by another process.")
    return move(
        command,
        frame.status,
        exit_code=frame.exit_code,
        error=frame.error,
        cpu_seconds=frame.cpu_seconds,
        max_rss_bytes=frame.max_rss_bytes,
    )


@on_repeat(ReportCommand)
def check_claim_holds(actor: Actor, topic: AgentTopic, frame: ReportCommand) -> None:
    """Whoever is told again that a command is its own may start it again: it must still be its own, and running."""
    if frame.status == Status.RUNNING and not frame.interrupt:
        command = _own(locked_agent(topic.agent_id), frame.command_id)
        if command.status != Status.RUNNING:
            raise Conflict(f"This command is {command.status} already.")
        if frame.instance not in (None, command.instance):
            raise Conflict("This command was claimed by another process.")


@handles(PrintOutput)
def print_output(actor: Actor, topic: TerminalTopic, frame: PrintOutput) -> list[tuple[Topic, Event]]:
    """What a command printed, for the agent's terminal and for the command's owner. Writes nothing itself."""
    facts = facts_of(frame.command_id)
    if facts.agent_id != topic.agent_id:
        raise NotFound("This agent has no such command.")
    selectors.check_speaks_for(actor, facts.key_id)
    printed = TerminalPrinted(command_id=frame.command_id, offset=frame.offset, text=frame.text)
    drafts: list[tuple[Topic, Event]] = [(topic, printed)]
    if facts.carrier and (mirrored := facts.carrier.mirror(facts.context, frame.text, frame.offset, wire.now())):
        drafts.append(mirrored)
    return drafts


def _claim(actor: Actor, agent: Agent, command: Command, instance: str | None) -> StoredEvent | None:
    """The one moment that decides who carries a command out."""
    is_present = instance == agent.instance if instance else agent.connection in ("", actor.connection)
    if not is_present:
        raise Conflict(f'Another process is connected as "{agent.name}" now.')
    if command.status != Status.SENT:
        raise Conflict(f"This command is {command.status} already.")
    stored = move(command, Status.RUNNING, instance=agent.instance)
    if not agent.is_online:
        revive(agent, actor)
    return stored


def _confirm_interrupt(command: Command, topic: AgentTopic, step: str) -> StoredEvent:
    if command.status != Status.RUNNING:
        raise Conflict(f"This command is {command.status}, not running.")
    if command.interrupt_sent_at is None:
        raise Conflict("Nobody asked for an end of this command.")
    field = f"interrupt_{step}_at"
    setattr(command, field, getattr(command, field) or wire.now())
    command.save(update_fields=[field])
    return log.append(topic, CommandChanged.of(command, interrupt=step))


def _own(agent: Agent, command_id: UUID) -> Command:
    """A command of this agent. Raises Conflict for one that went to another, NotFound for a stranger's."""
    command = Command.objects.filter(pk=command_id, team_id=agent.team_id).first()
    if command is None:
        raise NotFound("There is no such command.")
    if command.agent_id != agent.pk:
        raise Conflict("This command went to another agent.")
    return locked(command_id)
