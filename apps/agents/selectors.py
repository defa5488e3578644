"""Questions about agents and their commands."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.accounts.actors import Actor
from apps.accounts.refusals import Forbidden, NotFound
from apps.accounts.roles import Role
from apps.accounts.selectors import role_in_team, team_ids_of, teams_of
from apps.agents.models import Agent, Command

CLOCKS_DIFFER = timedelta(hours=1)
_ASSIGNED = Command.objects.filter(agent=OuterRef("pk"), status__in=Command.ASSIGNED).order_by().values("agent")
# Not a join, which would read all that an agent has ever done.
_BUSY = Coalesce(Subquery(_ASSIGNED.annotate(count=Count("pk")).values("count")), 0)


def is_known(team_id: UUID, name: str) -> bool:
    """Whether the team has an agent of this name, connected or not."""
    return Agent.objects.filter(team_id=team_id, name=name).exists()


def role_at_agent(actor: Actor, agent_id: UUID) -> Role | None:
    """What the actor may do with this agent: what it may do in the agent's team."""
    try:
        return role_in_team(actor, _team_of(agent_id))
    except Agent.DoesNotExist:
        return None


def agents_of(actor: Actor) -> QuerySet[Agent]:
    """The agents that the actor may see, each with `busy`: how many commands it has."""
    return Agent.objects.filter(team__in=teams_of(actor)).annotate(busy=_BUSY)


def agent_for(actor: Actor, agent_id: UUID) -> Agent:
    """Raises NotFound, for strangers too."""
    if (agent := agents_of(actor).filter(pk=agent_id).first()) is None:
        raise NotFound("There is no such agent.")
    return agent


def agent_of_topic(agent_id: UUID) -> Agent:
    """The agent of a topic. Raises NotFound when it was deleted."""
    if (agent := Agent.objects.filter(pk=agent_id).first()) is None:
        raise NotFound("There is no such agent.")
    return agent


def check_speaks_for(actor: Actor, key_id: str | None) -> None:
    """Whoever speaks for an agent has the key with which it connected; others of its team will not do.

    Raises Forbidden.
    """
    if actor.key is None or actor.key.pk != key_id:
        raise Forbidden("This agent connected with another key.")


def busy(agent: Agent) -> int:
    """How many commands lie in the agent's inbox or run."""
    return agent.commands.filter(status__in=Command.ASSIGNED).count()


def commands_between(team_id: UUID, start: datetime, end: datetime | None) -> QuerySet[Command]:
    """What a team asked for in this time, and a little before and after: machines differ in what time it is."""
    commands = Command.objects.filter(team=team_id, created_at__gte=start - CLOCKS_DIFFER)
    return commands.filter(created_at__lte=end + CLOCKS_DIFFER) if end else commands


def commands_of(actor: Actor) -> QuerySet[Command]:
    """The commands that the actor may see, newest first."""
    return Command.objects.filter(team__in=team_ids_of(actor))


def command_for(actor: Actor, command_id: UUID) -> Command:
    """Raises NotFound, for strangers too."""
    if (command := commands_of(actor).filter(pk=command_id).first()) is None:
        raise NotFound("There is no such command.")
    return command


def free_agents(team_id: UUID) -> dict[Agent, int]:
    """The connected agents with a free slot, and how many commands each of them has."""
    online = Agent.objects.filter(team_id=team_id, status=Agent.Status.ONLINE).annotate(busy=_BUSY)
    return {agent: agent.busy for agent in online if agent.busy < agent.slots}


def waiting_for(agents: Collection[Agent], team_id: UUID) -> QuerySet[Command]:
    """The queued commands that are for such agents as these, oldest first."""
    kinds = {kind for agent in agents for kind in agent.accepts}
    labels = {"", *(label for agent in agents for label in agent.labels)}
    queued = Command.objects.filter(team_id=team_id, status=Command.Status.QUEUED)
    return queued.filter(kind__in=kinds, label__in=labels).order_by("created_at", "id")


def best_of(agents: dict[Agent, int], command: Command) -> Agent | None:
    """The least loaded of these agents that may carry the command out."""
    fit = [agent for agent in agents if agent.accepts_kind(command.kind) and agent.has_label(command.label)]
    return min(fit, key=lambda agent: (agents[agent] / agent.slots, agents[agent], agent.name), default=None)


@lru_cache(maxsize=10_000)
def _team_of(agent_id: UUID) -> UUID:
    """An agent never changes its team. Raises Agent.DoesNotExist, which is not remembered."""
    return Agent.objects.values_list("team_id", flat=True).get(pk=agent_id)
