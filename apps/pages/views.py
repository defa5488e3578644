"""The pages. Each reads its cursors first and its state second; its script goes on from there."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.actors import Actor
from apps.accounts.roles import Role, permits
from apps.accounts.selectors import role_in_team
from apps.agents.contract import TeamTopic, TerminalTopic
from apps.agents.selectors import agent_for, commands_of
from apps.chat import selectors as chat
from apps.chat.contract import ChatTopic
from apps.pages import selectors
from apps.pages.feeds import Feed
from apps.pages.shown import page, show
from apps.swarm.contract import RunTopic
from apps.swarm.selectors import project_for, run_for, runs_of, state_of, summary_of

MESSAGES = 200
COMMANDS = 25
RUNS = 20


def home(request: HttpRequest) -> HttpResponse:
    """The landing page for strangers, the dashboard for members."""
    if not request.user.is_authenticated:
        return render(request, "pages/landing.html")
    return dashboard(request)


@page
def dashboard(request: HttpRequest, actor: Actor) -> HttpResponse:
    """`?part=overview` is what the page's script replaces when something has happened."""
    teams = selectors.teams_shown(actor)
    feeds = selectors.team_feeds(teams)
    template = "pages/overview.html" if request.GET.get("part") == "overview" else "pages/dashboard.html"
    return show(request, template, feeds=feeds, **selectors.overview(actor, teams))


@page
def projects(request: HttpRequest, actor: Actor) -> HttpResponse:
    teams = selectors.teams_shown(actor)
    feeds = selectors.team_feeds(teams)
    return show(request, "pages/projects.html", feeds=feeds, cards=selectors.project_cards(actor, teams))


@page
def project(request: HttpRequest, actor: Actor, project_id: UUID) -> HttpResponse:
    found = project_for(actor, project_id)
    feeds = [Feed.of(TeamTopic(team_id=found.team_id))]
    runs = [summary_of(run) for run in runs_of(actor, project_id=project_id)[:RUNS]]
    may_operate = bool(selectors.operated(actor, [found.team]))
    return show(request, "pages/project.html", feeds=feeds, project=found, runs=runs, may_operate=may_operate)


@page
def run(request: HttpRequest, actor: Actor, run_id: UUID) -> HttpResponse:
    feed = Feed.of(RunTopic(run_id=run_id))
    state = state_of(run_for(actor, run_id))
    may = permits(role_in_team(actor, UUID(state["team_id"])), Role.OPERATOR)
    return show(
        request, "pages/run.html", feed=feed, run=state, lanes=selectors.lanes_of(state["stages"]), may_operate=may
    )


@page
def tasks(request: HttpRequest, actor: Actor) -> HttpResponse:
    teams = selectors.teams_shown(actor)
    feeds = selectors.team_feeds(teams)
    cards = selectors.agent_cards(actor, teams)
    agents = [card["agent"] for card in cards]
    labels = sorted({label for agent in agents for label in agent.labels})
    listed = selectors.tasks_listed(actor, teams)
    mine = selectors.operated(actor, teams)
    return show(request, "pages/tasks.html", feeds=feeds, teams=mine, agents=agents, labels=labels, tasks=listed)


@page
def agents(request: HttpRequest, actor: Actor) -> HttpResponse:
    teams = selectors.teams_shown(actor)
    feeds = selectors.team_feeds(teams)
    return show(request, "pages/agents.html", feeds=feeds, cards=selectors.agent_cards(actor, teams))


@page
def agent(request: HttpRequest, actor: Actor, agent_id: UUID) -> HttpResponse:
    terminal = Feed.of(TerminalTopic(agent_id=agent_id))
    team_feed = selectors.team_feeds([agent_for(actor, agent_id).team])
    card = selectors.agent_card(actor, agent_for(actor, agent_id))
    recent = commands_of(actor).filter(agent_id=agent_id)[:COMMANDS]
    return show(request, "pages/agent.html", feeds=team_feed, terminal=terminal, recent=recent, **card)


@page
def chats(request: HttpRequest, actor: Actor) -> HttpResponse:
    teams = selectors.operated(actor, selectors.teams_shown(actor))
    return show(request, "pages/chats.html", sessions=chat.sessions_of(actor)[:100], teams=teams)


@page
def chat_session(request: HttpRequest, actor: Actor, session_id: UUID) -> HttpResponse:
    feed = Feed.of(ChatTopic(session_id=session_id))
    session = chat.session_for(actor, session_id)
    return show(
        request,
        "pages/chat.html",
        feed=feed,
        session=session,
        said=chat.messages_of(session, newest=MESSAGES),
        people=chat.people_in(session),
        others=chat.people_to_add(session),
        may_operate=permits(role_in_team(actor, session.team_id), Role.OPERATOR),
    )
