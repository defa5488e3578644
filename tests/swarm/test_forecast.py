"""What earlier runs say about a run."""

from datetime import timedelta

import pytest

from apps.events import wire
from apps.swarm.forecast import RUNS_ASKED, forecast_of, tries_of, usual_seconds
from apps.swarm.models import Project, Run, RunStatus, Step, StepStatus
from tests.tasks.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(agent_key):
    return Worker(agent_key)


def took(run: Run, **seconds: float) -> Run:
    """As if the run had completed, each step in so many seconds, stage after stage."""
    at = run.started_at
    for stage in run.stages.order_by("index"):
        ends = []
        for step in stage.steps.all():
            ends.append(at + timedelta(seconds=seconds[step.key]))
            Step.objects.filter(pk=step.pk).update(started_at=at, ended_at=ends[-1], status=StepStatus.COMPLETED)
        at = max(ends)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.COMPLETED, ended_at=at)
    return run


def test_the_first_run_has_no_forecast(write_project, start):
    assert forecast_of(start(write_project({"lint": {}}))) == {"runs": 0, "steps": {}, "stages": {}}


def test_steps_and_stages_take_the_median(write_project, start):
    project = write_project({"lint": {}, "types": {}}, {"unit": {}})
    for lint, unit in [(1, 10), (2, 20), (90, 30)]:
        took(start(project), lint=lint, types=5, unit=unit)
    told = forecast_of(start(project))
    assert told == {"runs": 3, "steps": {"lint": 2, "types": 5, "unit": 20}, "stages": {0: 5, 1: 20}}
    assert usual_seconds([project]) == {project.pk: 25}


def test_what_failed_or_runs_says_nothing(write_project, start, cancel):
    project = write_project({"lint": {}})
    cancel(start(project))
    start(project)
    assert forecast_of(start(project))["runs"] == 0
    assert usual_seconds([project]) == {}


def test_only_the_newest_runs_count(write_project, start):
    project = write_project({"lint": {}})
    for n in range(RUNS_ASKED + 5):
        took(start(project), lint=1000 if n < 5 else 3)
    assert forecast_of(start(project))["steps"] == {"lint": 3}


def test_other_projects_say_nothing(write_project, start, team, django_assert_max_num_queries):
    from apps.swarm.definition import parse
    from apps.swarm.services import load_project

    stages = [{"name": "one", "steps": [{"name": "lint", "run": "make", "label": "local"}]}]
    other = load_project(team, parse({"name": "Other", "stages": stages}))
    took(start(other), lint=3)
    run = start(write_project({"lint": {}}))
    with django_assert_max_num_queries(2):
        assert forecast_of(run)["runs"] == 0


def test_a_project_that_runs_often_hides_no_other_one(write_project, start, team, django_assert_num_queries):
    often = write_project({"lint": {}})
    seldom = Project.objects.create(team=team, name="Yearly", slug="yearly", definition=often.definition)
    now = wire.now()

    def completed(project, seconds, days_ago):
        at = now - timedelta(days=days_ago)
        ended = at + timedelta(seconds=seconds)
        return Run(project=project, team=team, status=RunStatus.COMPLETED, started_at=at, ended_at=ended)

    Run.objects.bulk_create(completed(often, 3 if n < RUNS_ASKED else 1000, n / 1000) for n in range(60 * RUNS_ASKED))
    Run.objects.bulk_create(completed(seldom, 7, 365 * n) for n in (1, 2))
    with django_assert_num_queries(1):
        assert usual_seconds([often, seldom]) == {often.pk: 3, seldom.pk: 7}


def test_every_try_is_remembered_with_its_agent(write_project, start, worker):
    run = start(write_project({"lint": {"retries": 1}}))
    assert [one["status"] for one in tries_of(run)] == ["queued"]
    for exit_code in (1, 0):
        worker.carry_out(worker.inbox()[0], exit_code)
    told = [(one["step"], one["attempt"], one["status"], one["exit_code"], one["agent"]) for one in tries_of(run)]
    assert told == [("lint", 1, "failed", 1, "box-1"), ("lint", 2, "completed", 0, "box-1")]
    assert all(one["started_at"] <= one["ended_at"] for one in tries_of(run))


def test_tries_of_another_run_are_not_mixed_in(write_project, start):
    project = write_project({"lint": {}})
    first = start(project)
    assert len(tries_of(start(project))) == len(tries_of(first)) == 1
