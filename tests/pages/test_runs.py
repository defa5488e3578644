"""What the run page says before its script does."""

import pytest
from django.utils import timezone

from apps.agents.models import Agent
from apps.pages.runs import Lane, in_words, lanes_of, outcome_of, rows_of
from apps.swarm.models import Run

STARTED = "2026-11-20T10:00:00.000Z"


def at(seconds):
    return f"2026-11-20T10:{seconds // 60:02}:{seconds % 60:02}.000Z"


def a_try(step, agent, began, ended, attempt=1):
    return {
        "step": step,
        "attempt": attempt,
        "agent": agent,
        "started_at": None if began is None else at(began),
        "ended_at": None if ended is None else at(ended),
    }


def a_run(*steps, ended=None, **more):
    known = {"started_at": STARTED, "ended_at": ended and at(ended), "status": "running", "error": None}
    return {**known, "stages": [{"steps": list(steps)}], **more}


def test_steps_at_the_same_time_take_rows_of_their_own():
    tries = [a_try("a", "box-1", 0, 50), a_try("b", "box-1", 10, 60), a_try("c", "box-1", 55, 90)]
    assert lanes_of(a_run(ended=100), tries) == [Lane("box-1", 2)]


def test_lanes_stand_in_the_order_of_people_not_of_letters():
    tries = [a_try("a", "box-10", 0, 5), a_try("b", "box-2", 0, 5), a_try("c", "Alpha", 0, 5)]
    assert [lane.name for lane in lanes_of(a_run(ended=10), tries)] == ["Alpha", "box-2", "box-10"]


def test_a_bar_that_is_too_short_to_see_needs_its_room_all_the_same():
    tries = [a_try("a", "box-1", 0, 0), a_try("b", "box-1", 1, 2)]
    assert lanes_of(a_run(ended=600), tries) == [Lane("box-1", 2)]
    assert lanes_of(a_run(ended=20), tries) == [Lane("box-1", 1)]


def test_the_present_try_counts_once_and_a_step_that_nobody_has_not_at_all():
    running = {"key": "a", "attempt": 2, "agent": "box-1", "started_at": at(10), "ended_at": None}
    waiting = {"key": "b", "attempt": 0, "agent": "box-9", "started_at": None, "ended_at": None}
    tries = [a_try("a", "box-1", 0, 5), a_try("a", "box-1", 20, None, attempt=2)]
    assert lanes_of(a_run(running, waiting, ended=60), tries) == [Lane("box-1", 1)]


def test_the_timeline_keeps_room_for_the_rows_that_steps_may_take():
    assert [rows_of({"total": total}) for total in (0, 1, 3, 40)] == [1, 1, 3, 8]


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (a_run(done=1, total=3), "1 of 3 steps done."),
        (a_run(ended=200, status="completed", done=3, total=3), "Completed: 3 of 3 steps in 3:20 min."),
        (
            a_run(ended=5, status="cancelled", done=0, total=3),
            "The run was cancelled. It ended after 0 of 3 steps in 5.0 s.",
        ),
        (
            a_run(error={"message": "It broke."}, done=1, total=3),
            "It broke. What runs comes to its end first; nothing new starts.",
        ),
    ],
)
def test_the_outcome_is_said_in_words(run, words):
    assert outcome_of(run) == words


def test_durations_are_said_as_the_script_says_them():
    assert [in_words(n) for n in (-1, 0.44, 59.9, 200, 3723)] == ["0.0 s", "0.4 s", "59 s", "3:20 min", "1:02:03 h"]


@pytest.mark.django_db
def test_a_run_that_is_over_says_so_without_a_script(browser, alice, run):
    Run.objects.filter(pk=run.pk).update(status="completed", ended_at=timezone.now())
    assert "Completed: 0 of 1 steps in" in browser(alice).get(f"/runs/{run.pk}/").text


@pytest.mark.django_db
def test_an_agent_that_is_gone_is_not_said_to_be_busy(browser, alice, agent, run):
    assert "1/2 busy" in browser(alice).get("/").text
    Agent.objects.filter(pk=agent.pk).update(status="offline")
    text = browser(alice).get("/").text
    assert "busy</span>" not in text and "1 waiting" in text


@pytest.mark.django_db
def test_who_is_in_no_team_is_told_what_to_do(browser, django_user_model, alice):
    loner = django_user_model.objects.create_user("loner")
    for path in ("/", "/projects/", "/tasks/", "/agents/", "/chat/"):
        assert "You belong to no team yet" in browser(loner).get(path).text
        assert "You belong to no team yet" not in browser(alice).get(path).text
