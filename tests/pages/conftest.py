from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.agents.models import Agent
from apps.chat.models import ChatSession
from apps.chat.services import open_session
from apps.events.dispatch import perform_sync
from apps.swarm.definition import parse
from apps.swarm.models import Run
from apps.swarm.services import load_project
from tests.support.console import LOGS, SHOWN


@pytest.fixture
def browser() -> Callable[[User | None], Client]:
    """`browser(alice)`: Django's own client, logged in as alice."""

    def browser(person: User | None = None) -> Client:
        client = Client()
        if person:
            client.force_login(person)
        return client

    return browser


@pytest.fixture
def agent(team: Any) -> Agent:
    return Agent.objects.create(team=team, name="box-1", status="online", accepts=["shell"], labels=["local"], slots=2)


@pytest.fixture
def run(bob: User, team: Any, agent: Agent) -> Run:
    """A run of two stages, of which the first has begun."""
    steps = [{"name": "lint <b>", "run": "make lint", "label": "local"}]
    project = load_project(team, parse({"name": "Check", "stages": [{"name": "one", "steps": steps}]}))
    ack = say(bob, "run:start", f"team.{team.pk}", project_id=str(project.pk))
    return Run.objects.get(pk=ack["data"]["run_id"])


@pytest.fixture
def session(alice: User, team: Any) -> ChatSession:
    return open_session(Actor(user=alice), team=team, title="Release <i>")


def say(person: User, type: str, topic: str, **data: Any) -> dict[str, Any]:
    """One frame; gives the ack's data."""
    return perform_sync(Actor(user=person), {"type": type, "id": uuid4().hex, "topic": topic, "data": data})


@pytest.fixture
def log_of(server, alice, team):
    """`log_of(1000)`: a run of alice's whose steps have printed so many lines."""

    def log_of(lines=0, *texts):
        run = server.do(f"{LOGS}:run_with_log", alice.id, str(team["id"] if isinstance(team, dict) else team.id), lines)
        if texts:
            server.do(f"{LOGS}:print_all", run["id"], texts)
        return run

    return log_of


@pytest.fixture
def look_at(window, alice):
    """`look_at(run)`: alice's page of a run, its log loaded."""

    async def look_at(run, hash="", **media):
        hers = await window(alice)
        await hers.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = await hers.open(f"/runs/{run['id']}/{hash}")
        await page.locator(SHOWN).first.wait_for()
        return page

    return look_at


@pytest.fixture
def remove(server):
    """`remove(run, but=2)`: retention has left that many events. Gives the head."""

    def remove(run, but):
        sql = "tests.support.seed:sql"
        [[head]] = server.do(sql, "SELECT seq FROM events_head WHERE topic = %s", run["topic"])
        server.do(sql, "UPDATE events_head SET floor = %s WHERE topic = %s", head - but, run["topic"])
        server.do(sql, "DELETE FROM events_storedevent WHERE topic = %s AND seq <= %s", run["topic"], head - but)
        return head

    return remove
