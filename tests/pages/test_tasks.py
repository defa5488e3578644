"""The pages about tasks: lists by state, and what a task has printed."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from apps.agents.contract import TerminalPrinted, TerminalTopic
from apps.agents.models import Command
from apps.events import log
from apps.events.models import StoredEvent
from apps.pages.tasks import printed_by, seq_until, tries_of
from apps.tasks.models import Task
from tests.pages.conftest import say

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(bob, team):
    ack = say(bob, "task:submit", f"team.{team.pk}", query="echo <b>hello</b>", label="nobody")
    return Task.objects.get(pk=ack["data"]["task_id"])


def print_at(agent, *minutes):
    """Output on the agent's terminal, so many minutes ago each."""
    topic = TerminalTopic(agent_id=agent.pk)
    for ago in minutes:
        with transaction.atomic():
            stored = log.append(topic, TerminalPrinted(command_id=uuid4(), offset=0, text="x\n"))
        at = timezone.now() - timedelta(minutes=ago)
        StoredEvent.objects.filter(topic=str(topic), seq=stored.seq).update(created_at=at)
    return str(topic)


def test_a_list_can_be_of_one_state(browser, alice, task):
    assert "echo &lt;b&gt;" in browser(alice).get("/tasks/?state=queued").text
    assert "echo &lt;b&gt;" not in browser(alice).get("/tasks/?state=failed").text
    assert "No task is in this state" in browser(alice).get("/tasks/?state=failed").text
    assert "echo &lt;b&gt;" in browser(alice).get("/tasks/?state=nonsense").text


def test_each_state_says_how_many_there_are(browser, alice, task):
    part = browser(alice).get("/tasks/?part=states&state=queued").text
    assert "<html" not in part
    assert part.count("aria-current") == 1
    assert 'Waiting <span class="number" data-flash>1<' in part


def test_the_list_alone_is_what_the_page_has(browser, alice, task):
    part = browser(alice).get("/tasks/?part=list&state=queued").text
    assert part.startswith("<tr ")
    assert part.strip() in browser(alice).get("/tasks/?state=queued").text
    assert browser(alice).get("/tasks/?part=list&state=failed").text.strip() == ""


def test_a_task_that_waits_says_for_whom(browser, alice, task):
    text = browser(alice).get(f"/tasks/{task.pk}/").text
    assert "waits for an agent with the label nobody" in text
    assert "<b>hello" not in text
    assert "<html" not in browser(alice).get(f"/tasks/{task.pk}/?part=task").text


def test_a_label_is_no_agent(browser, alice, bob, team, agent, task):
    client = browser(alice)
    for path in ("/tasks/", f"/tasks/{task.pk}/", "/"):
        assert "any with nobody" in client.get(path).text
    say(bob, "task:submit", f"team.{team.pk}", query="echo hi", agent=agent.name)
    assert f'<a href="/agents/{agent.pk}/">{agent.name}</a>' in client.get("/tasks/").text


def test_what_ended_as_asked_is_no_error(browser, alice, task):
    Task.objects.update(status="cancelled", result={"exit_code": None, "error": "Ended by SIGINT."})
    text = browser(alice).get(f"/tasks/{task.pk}/").text
    assert '<p class="note" data-status="cancelled">Ended by SIGINT.</p>' in text


def test_only_members_see_a_task_and_only_operators_may_end_it(browser, victor, mallory, task):
    assert browser(mallory).get(f"/tasks/{task.pk}/").status_code == 404
    assert 'data-action="cancel"' not in browser(victor).get(f"/tasks/{task.pk}/").text


def test_the_output_ends_where_the_command_did(agent, task):
    topic = print_at(agent, 9, 7, 5, 3)
    now = timezone.now()
    for minutes, seq in [(10, 0), (8, 1), (6, 2), (4, 3), (0, 4)]:
        assert seq_until(topic, now - timedelta(minutes=minutes)) == seq
    assert seq_until(topic, None) == 4
    assert seq_until("terminal.nobody", now) == 0


def test_the_end_of_the_output_is_found_while_its_beginning_is_pruned(agent):
    topic = print_at(agent, 9, 7, 5, 3)
    StoredEvent.objects.filter(topic=topic, seq__lte=2).delete()
    assert seq_until(topic, timezone.now() - timedelta(minutes=4)) == 3


def test_each_try_is_a_command_and_the_last_has_the_output(agent, team, task):
    Command.objects.filter(context__task_id=str(task.pk)).delete()
    assert tries_of(task) == []
    made = [
        Command.objects.create(team=team, agent=given, attempt=n, context={"task_id": str(task.pk)})
        for n, given in [(1, None), (2, agent)]
    ]
    assert tries_of(task) == made
    assert printed_by(made[0]) is None
    assert printed_by(made[1]) == (TerminalTopic(agent_id=agent.pk), 0)
