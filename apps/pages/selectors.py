"""Questions that only pages ask: lists of several features side by side."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce, Substr

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.accounts.roles import Role, permits
from apps.accounts.selectors import role_in_team, teams_of
from apps.agents.contract import AgentTopic, TeamTopic
from apps.agents.models import Agent, Command
from apps.agents.selectors import agents_of
from apps.chat.contract import ChatTopic
from apps.chat.models import Message, SessionMember
from apps.chat.selectors import sessions_of
from apps.events import wire
from apps.pages.feeds import Feed
from apps.pages.shown import MOST_TEAMS
from apps.swarm import selectors as swarm
from apps.swarm.forecast import usual_seconds
from apps.swarm.models import Project, Run

FOLLOWED_CHATS = 12
MOST_CARDS = 24
"""Agents that a page shows live: a connection may follow 50 topics, and other tabs need some too."""


def teams_shown(actor: Actor) -> list[Team]:
    """The teams whose things stand on one page."""
    return list(teams_of(actor)[:MOST_TEAMS])


def operated(actor: Actor, teams: list[Team]) -> list[Team]:
    """Those of these teams in which the actor may do things, and not only look."""
    return [team for team in teams if permits(role_in_team(actor, team.pk), Role.OPERATOR)]


def team_feeds(teams: list[Team]) -> list[Feed]:
    return Feed.of_each(TeamTopic(team_id=team.pk) for team in teams)


def chats_listed(actor: Actor) -> list[dict[str, Any]]:
    """Sessions with what was said last (`last_words`, `last_author`, `last_at`), the liveliest first and followed."""
    last = Message.objects.filter(session=OuterRef("pk")).order_by("-seq")
    here = SessionMember.objects.filter(session=OuterRef("pk")).order_by().values("session").annotate(count=Count("pk"))
    sessions = (
        sessions_of(actor)
        .annotate(
            last_words=Substr(Subquery(last.values("content")[:1]), 1, 200),
            last_author=Subquery(last.values("author_name")[:1]),
            last_at=Coalesce(Subquery(last.values("created_at")[:1]), F("created_at")),
            people=Subquery(here.values("count")),
        )
        .order_by("-last_at")
    )
    # A connection follows so many topics at once, and other tabs need some too.
    liveliest = list(sessions.values_list("pk", flat=True)[:FOLLOWED_CHATS])
    followed = Feed.of_each(ChatTopic(session_id=session_id) for session_id in liveliest)
    feeds = dict(zip(liveliest, followed, strict=True))
    return [{"session": session, "feed": feeds.get(session.pk)} for session in sessions[:100]]


def project_cards(actor: Actor, teams: list[Team]) -> list[dict[str, Any]]:
    """Each project with its size and its latest run."""
    runnable = operated(actor, teams)
    projects = list(Project.objects.filter(team__in=teams).select_related("team"))
    usual, latest = usual_seconds(projects), swarm.latest_runs(projects)
    return [
        _card(project, latest.get(project.pk))
        | {"may_operate": project.team in runnable, "usual": usual.get(project.pk, "")}
        for project in projects
    ]


def agents_listed(actor: Actor, teams: list[Team], *, find: str, number: str) -> Page[Agent]:
    """One page of the agents whose names have all the words of `find`; a number out of range is the nearest."""
    agents = agents_of(actor).filter(team__in=teams).select_related("team").order_by("name", "id")
    for word in find.split():
        agents = agents.filter(name__icontains=word)
    return Paginator(agents, MOST_CARDS).get_page(number)


def agent_cards(actor: Actor, agents: Collection[Agent]) -> list[dict[str, Any]]:
    """These agents, each with what it has to do, and from where its topic goes on."""
    feeds = Feed.of_each(AgentTopic(agent_id=agent.pk) for agent in agents)
    has: dict[UUID | None, list[Command]] = defaultdict(list)
    for command in Command.objects.filter(agent__in=agents, status__in=Command.ASSIGNED).order_by("created_at"):
        has[command.agent_id].append(command)
    mine = operated(actor, list({agent.team for agent in agents}))
    return [
        {"agent": agent, "feed": feed, "commands": has[agent.pk], "may_operate": agent.team in mine}
        for agent, feed in zip(agents, feeds, strict=True)
    ]


def command_shown(command: Command) -> dict[str, Any]:
    """What a terminal has to know of a command before it draws what that printed."""
    return {
        "id": str(command.pk),
        "line": command.line,
        "cols": command.spec.get("cols", 120),
        "rows": command.spec.get("rows", 40),
        "endedAt": wire.timestamp(command.ended_at) if command.ended_at else "",
    }


def cards_of_run(actor: Actor, run: Run, tries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The agents that have or had a step of a run, as they are now."""
    ids = {one["agent_id"] for one in tries if one["agent_id"]}
    agents = agents_of(actor).filter(team=run.team_id, pk__in=ids).select_related("team")
    return agent_cards(actor, list(agents[:MOST_CARDS]))


def _card(project: Project, latest: Run | None) -> dict[str, Any]:
    stages = project.definition.get("stages", [])
    return {
        "project": project,
        "stages": len(stages),
        "steps": sum(len(stage.get("steps", [])) for stage in stages),
        "run": swarm.summary_of(latest) if latest else None,
    }
