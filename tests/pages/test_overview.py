"""The dashboard's numbers, and how busy it all is."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.events.models import Head
from apps.pages import gauge
from apps.pages.overview import overview
from apps.tasks.models import Task
from tests.pages.conftest import say

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_readings():
    gauge._readings.clear()
    yield
    gauge._readings.clear()


@pytest.fixture
def ended(team):
    def ended(status, hours=0.0, **more):
        at = timezone.now() - timedelta(hours=hours)
        return Task.objects.create(team=team, author_name="bob", query="make", status=status, ended_at=at, **more)

    return ended


def shown(person, *teams):
    return overview(Actor(user=person), list(teams))


def test_it_counts_what_runs_what_waits_and_what_failed(alice, team, run, ended):
    ended("failed", 1)
    ended("failed", 25)
    assert shown(alice, team)["numbers"] == {
        "runs_running": 1,
        "tasks_running": 0,
        "tasks_queued": 1,
        "tasks_failed": 1,
    }


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL plans by how much there is, which is nothing here"
)
def test_however_many_tasks_there_were_only_what_is_shown_is_read(alice, team, run, ended):
    with CaptureQueriesContext(connection) as asked:
        shown(alice, team)
    steps = []
    for query in asked.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            steps += [step for *_, step in cursor.fetchall() if "tasks_task" in step]
    assert len(steps) > 24
    known = ("(team_id=?)", "(team_id=? AND status=?)", "(team_id=? AND status=? AND ended_at>?", "(id=?)")
    assert all(any(part in step for part in known) for step in steps), steps
    whole_history = [step for step in steps if "(team_id=?)" in step and "tasks_of_a_team" not in step]
    assert not whole_history, "what is newest is taken from the end of an index in that order"


def test_it_counts_agents_by_state_and_their_slots(alice, team, agent):
    found = shown(alice, team)
    assert [(one["status"], one["count"], one["before"]) for one in found["agents_by_state"]] == [
        ("online", 1, 0),
        ("away", 0, 1),
        ("offline", 0, 1),
    ]
    assert (found["agents_total"], found["slots"], found["slots_busy"]) == (1, 2, 0)


def test_tasks_that_ended_are_counted_by_the_hour(alice, team, ended):
    ended("completed")
    ended("completed", 3)
    ended("failed", 3)
    ended("cancelled", 3)
    found = shown(alice, team)
    hours, completed, failed = json.loads(found["ended"])
    assert len(hours) == len(completed) == len(failed) == 24
    assert (completed[-1], completed[-4], failed[-4]) == (1, 1, 1)
    assert (found["ended_well"], found["ended_badly"]) == (2, 1)


def test_a_failed_step_is_shown_as_its_run_only(alice, team, ended):
    ended("failed", 2, purpose="step")
    alone = ended("failed", 1)
    assert [failure["task"]["task_id"] for failure in shown(alice, team)["failures"]] == [str(alone.pk)]


def test_a_stranger_counts_nothing_of_others(mallory, team, run, agent, ended):
    ended("failed")
    found = shown(mallory)
    assert set(found["numbers"].values()) == {0}
    assert found["agents"] == found["tasks"] == found["runs"] == found["failures"] == []


def test_the_rate_is_the_growth_of_all_topics_between_two_readings():
    taken = [gauge.Reading(100, 10, 1), gauge.Reading(102, 30, 1), gauge.Reading(104, 20, 1), gauge.Reading(104, 25, 1)]
    assert gauge.rates(taken) == [(102, 10.0), (104, 0.0)]  # a topic that was deleted takes nothing back


def test_a_reading_is_taken_once_in_a_while(alice, session):
    say(alice, "message", f"chat.{session.pk}", content="Hello")
    gauge.read()
    gauge.read()
    [reading] = gauge.readings()
    assert reading.events == sum(Head.objects.values_list("seq", flat=True))
    assert gauge.readings(now=reading.at + gauge.KEPT_SECONDS + 1) == []


def test_what_people_wrote_stays_text_in_the_part_that_a_script_replaces(browser, alice, team, ended):
    ended("failed")
    Task.objects.update(query="<img src=x>", result={"exit_code": 1, "error": "<script>"})
    part = browser(alice).get("/?part=overview").text
    assert "<img src=x>" not in part
    assert "<script>" not in part
