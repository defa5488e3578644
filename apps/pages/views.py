"""The pages. Each reads its cursors first and its state second; its script goes on from there."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.actors import Actor
from apps.accounts.roles import Role, permits
from apps.accounts.selectors import role_in_team
from apps.agents.contract import TeamTopic, TerminalTopic
from apps.agents.selectors import agent_for, agents_of, commands_of
from apps.chat import selectors as chat
from apps.chat.contract import MAX_BYTES, ChatTopic
from apps.pages import selectors
from apps.pages import tasks as of_tasks
from apps.pages.feeds import Feed
from apps.pages.overview import overview
from apps.pages.runs import lanes_of, outcome_of, rows_of
from apps.pages.shown import page, show, whole_or_part
from apps.pages.talk import placed
from apps.swarm.contract import RunTopic
from apps.swarm.forecast import forecast_of, tries_of
from apps.swarm.selectors import project_for, run_for, runs_of, state_of, summary_of
from apps.tasks.selectors import task_for

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
    template = whole_or_part(request, "pages/dashboard.html", overview="pages/overview.html")
    return show(request, template, feeds=feeds, **overview(actor, teams))


@page
def projects(request: HttpRequest, actor: Actor) -> HttpResponse:
    teams = selectors.teams_shown(actor)
    feeds = selectors.team_feeds(teams)
    return show(request, "pages/projects.html", feeds=feeds, cards=selectors.project_cards(actor, teams))


@page
def project(request: HttpRequest, actor: Actor, project_id: UUID) -> HttpResponse:
    """`?part=runs` is the list that the page's script replaces."""
    found = project_for(actor, project_id)
    feeds = [Feed.of(TeamTopic(team_id=found.team_id))]
    runs = [summary_of(run) for run in runs_of(actor, project_id=project_id)[:RUNS]]
    may_operate = bool(selectors.operated(actor, [found.team]))
    template = whole_or_part(request, "pages/project.html", runs="components/run_rows.html")
    return show(request, template, feeds=feeds, project=found, runs=runs, may_operate=may_operate)


@page
def run(request: HttpRequest, actor: Actor, run_id: UUID) -> HttpResponse:
    """`?part=agents` is the cards of its agents, which the page's script asks for when another one comes in."""
    feed = Feed.of(RunTopic(run_id=run_id))
    feeds = [Feed.of(TeamTopic(team_id=run_for(actor, run_id).team_id))]
    found = run_for(actor, run_id)
    state, tries = state_of(found), tries_of(found)
    return show(
        request,
        whole_or_part(request, "pages/run.html", agents="components/agent_cards.html"),
        feed=feed,
        feeds=feeds,
        run=state,
        told={"state": state, "tries": tries, "forecast": forecast_of(found)},
        lanes=lanes_of(state, tries),
        rows=rows_of(state),
        outcome=outcome_of(state),
        cards=selectors.cards_of_run(actor, found, tries),
        may_operate=permits(role_in_team(actor, found.team_id), Role.OPERATOR),
    )


@page
def tasks(request: HttpRequest, actor: Actor) -> HttpResponse:
    """`?state=` lists only those; `?part=list` is the list, and `?part=states` how many there are of each."""
    teams = selectors.teams_shown(actor)
    feeds = selectors.team_feeds(teams)
    asked = request.GET.get("state", "")
    state = asked if asked in of_tasks.STATES else ""
    shown = {"feeds": feeds, "states": of_tasks.states(actor, teams), "state": state}
    if request.GET.get("part") == "states":
        return show(request, "pages/states.html", **shown)
    listed = of_tasks.tasks_listed(actor, teams, state)
    if request.GET.get("part") == "list":
        return show(request, "pages/task_list.html", tasks=listed)
    agents = list(agents_of(actor).filter(team__in=teams).order_by("name", "id"))
    labels = sorted({label for agent in agents for label in agent.labels})
    mine = selectors.operated(actor, teams)
    return show(request, "pages/tasks.html", **shown, teams=mine, agents=agents, labels=labels, tasks=listed)


@page
def task(request: HttpRequest, actor: Actor, task_id: UUID) -> HttpResponse:
    """One task and what it prints; `?part=task` is what the page's script replaces."""
    team = task_for(actor, task_id).team
    feeds = selectors.team_feeds([team])
    found = task_for(actor, task_id)
    tries = of_tasks.tries_of(found)
    printed = of_tasks.printed_by(tries[-1]) if tries else None
    return show(
        request,
        whole_or_part(request, "pages/task.html", task="pages/one_task.html"),
        feeds=feeds,
        task=found.as_data() | {"team_id": found.team_id},
        run_id=found.context.get("run_id"),
        tries=tries,
        printed=printed,
        may_operate=bool(selectors.operated(actor, [team])),
    )


@page
def agents(request: HttpRequest, actor: Actor) -> HttpResponse:
    """`?find=` lists only agents with these words in their names; `?part=list` is what the page's script replaces."""
    teams = selectors.teams_shown(actor)
    feeds = selectors.team_feeds(teams)
    find = request.GET.get("find", "")
    listed = selectors.agents_listed(actor, teams, find=find, number=request.GET.get("page", "1"))
    return show(
        request,
        whole_or_part(request, "pages/agents.html", list="pages/agent_list.html"),
        feeds=feeds,
        find=find,
        listed=listed,
        cards=selectors.agent_cards(actor, list(listed)),
    )


@page
def agent(request: HttpRequest, actor: Actor, agent_id: UUID) -> HttpResponse:
    terminal = Feed.of(TerminalTopic(agent_id=agent_id))
    team_feed = selectors.team_feeds([agent_for(actor, agent_id).team])
    [card] = selectors.agent_cards(actor, [agent_for(actor, agent_id)])
    recent = commands_of(actor).filter(agent_id=agent_id)[:COMMANDS]
    told = [selectors.command_shown(command) for command in recent]
    return show(
        request,
        "pages/agent.html",
        feeds=team_feed,
        terminal=terminal,
        recent=recent,
        most=COMMANDS,
        shown_commands=told,
        **card,
    )


@page
def chats(request: HttpRequest, actor: Actor) -> HttpResponse:
    teams = selectors.operated(actor, selectors.teams_shown(actor))
    return show(request, "pages/chats.html", sessions=selectors.chats_listed(actor), teams=teams)


@page
def chat_session(request: HttpRequest, actor: Actor, session_id: UUID) -> HttpResponse:
    feed = Feed.of(ChatTopic(session_id=session_id))
    session = chat.session_for(actor, session_id)
    return show(
        request,
        "pages/chat.html",
        feed=feed,
        session=session,
        said=placed(chat.messages_of(session, newest=MESSAGES)),
        people=chat.people_in(session),
        others=chat.people_to_add(session),
        most_bytes=MAX_BYTES,
        may_operate=permits(role_in_team(actor, session.team_id), Role.OPERATOR),
    )
