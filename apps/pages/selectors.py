"""Questions that only pages ask: lists of several features side by side."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.accounts.roles import Role, permits
from apps.accounts.selectors import role_in_team, teams_of
from apps.agents.contract import AgentTopic, TeamTopic
from apps.agents.models import Agent, Command
from apps.agents.selectors import agents_of
from apps.pages.feeds import Feed
from apps.swarm import selectors as swarm
from apps.swarm.models import Project, Run, RunStatus
from apps.tasks.models import Status
from apps.tasks.selectors import tasks_of

MOST_TEAMS = 10
RECENT = 8
LISTED = 100


def teams_shown(actor: Actor) -> list[Team]:
    """The teams whose things stand on one page."""
    return list(teams_of(actor)[:MOST_TEAMS])


def operated(actor: Actor, teams: list[Team]) -> list[Team]:
    """Those of these teams in which the actor may do things, and not only look."""
    return [team for team in teams if permits(role_in_team(actor, team.pk), Role.OPERATOR)]


def team_feeds(teams: list[Team]) -> list[Feed]:
    return [Feed.of(TeamTopic(team_id=team.pk)) for team in teams]


def overview(actor: Actor, teams: list[Team]) -> dict[str, Any]:
    """What runs, what waits, what failed, and who is there."""
    runs = swarm.runs_of(actor).filter(team__in=teams)
    tasks = tasks_of(actor).filter(team__in=teams)
    agents = agents_of(actor).filter(team__in=teams)
    yesterday = timezone.now() - timedelta(days=1)
    return {
        "runs_running": Run.objects.filter(team__in=teams, status=RunStatus.RUNNING).count(),
        "tasks_running": tasks.filter(status=Status.RUNNING).count(),
        "tasks_queued": tasks.filter(status=Status.QUEUED).count(),
        "tasks_failed": tasks.filter(status=Status.FAILED, ended_at__gte=yesterday).count(),
        "agents_online": agents.filter(status=Agent.Status.ONLINE).count(),
        "agents_total": agents.count(),
        "runs": [swarm.summary_of(run) for run in runs[:RECENT]],
        "tasks": [task.as_data() for task in tasks.filter(purpose="")[:RECENT]],
        "agents": list(agents.order_by("-status", "name")[:RECENT]),
    }


def project_cards(actor: Actor, teams: list[Team]) -> list[dict[str, Any]]:
    """Each project with its size and its latest run."""
    runnable = operated(actor, teams)
    projects = Project.objects.filter(team__in=teams).select_related("team")
    return [_card(project) | {"may_operate": project.team in runnable} for project in projects]


def tasks_listed(actor: Actor, teams: list[Team]) -> list[dict[str, Any]]:
    return [task.as_data() | {"team_id": task.team_id} for task in tasks_of(actor).filter(team__in=teams)[:LISTED]]


def agent_cards(actor: Actor, teams: list[Team]) -> list[dict[str, Any]]:
    """Each agent with its cursor and what it does now."""
    return [agent_card(actor, agent) for agent in agents_of(actor).filter(team__in=teams).select_related("team")[:40]]


def agent_card(actor: Actor, agent: Agent) -> dict[str, Any]:
    feed = Feed.of(AgentTopic(agent_id=agent.pk))
    commands = Command.objects.filter(agent=agent, status__in=Command.ASSIGNED).order_by("created_at")
    may_operate = bool(operated(actor, [agent.team]))
    return {"agent": agent, "feed": feed, "commands": list(commands), "may_operate": may_operate}


def lanes_of(stages: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Who works on a run, and what each does now or did last."""
    lanes: dict[str, dict[str, str]] = {}
    for stage in stages:
        for step in stage["steps"]:
            if step["agent"] and (
                step["status"] == "running" or lanes.get(step["agent"], {}).get("status") != "running"
            ):
                lanes[step["agent"]] = {"agent": step["agent"], "step": step["name"], "status": step["status"]}
    return sorted(lanes.values(), key=lambda lane: lane["agent"])


def _card(project: Project) -> dict[str, Any]:
    latest = swarm.latest_run(project)
    stages = project.definition.get("stages", [])
    return {
        "project": project,
        "stages": len(stages),
        "steps": sum(len(stage.get("steps", [])) for stage in stages),
        "run": swarm.summary_of(latest) if latest else None,
    }
