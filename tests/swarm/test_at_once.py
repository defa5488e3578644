"""Steps that end at the same moment, on whichever database the tests run."""

from threading import Barrier, Thread

import pytest
from django.db import connection

from apps.swarm import selectors
from apps.swarm.models import Run
from tests.swarm.replay import replay
from tests.tasks.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*jobs):
    """Run all jobs in threads that start together; raises what one of them raised."""
    barrier, problems = Barrier(len(jobs)), []

    def run(job):
        try:
            barrier.wait()
            job()
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def test_two_steps_that_end_at_once_start_the_next_stage_once(write_project, start, agent_key):
    workers = [Worker(agent_key, f"box-{number}") for number in (1, 2)]
    project = write_project({"a": {}, "b": {}}, {"c": {}, "d": {}}, {"e": {}})
    for _ in range(5):
        run = start(project)
        for _ in range(3):
            at_once(*[worker.carry_out_all for worker in workers])

        state = selectors.state_of(Run.objects.get(pk=run.pk))
        assert state["status"] == "completed"
        assert [step["attempt"] for stage in state["stages"] for step in stage["steps"]] == [1] * 5
        assert replay(run.pk) == state


def test_many_runs_end_steps_at_once_without_a_deadlock(write_project, start, agent_key):
    workers = [Worker(agent_key, f"box-{number}", slots=20) for number in range(4)]
    project = write_project({"a": {}, "b": {}}, {"c": {}, "d": {}})
    runs = [start(project) for _ in range(4)]

    def work(worker):
        for _ in range(200):
            worker.carry_out_all()
            if not Run.objects.filter(status="running").exists():
                return

    at_once(*[lambda worker=worker: work(worker) for worker in workers])

    for run in runs:
        state = selectors.state_of(Run.objects.get(pk=run.pk))
        assert state["status"] == "completed"
        assert replay(run.pk) == state


def test_a_cancel_beside_a_step_that_ends_leaves_one_story(write_project, start, cancel, agent_key):
    worker = Worker(agent_key)
    project = write_project({"a": {}, "b": {}}, {"c": {}})
    for _ in range(5):
        run = start(project)
        first, _ = worker.inbox()
        worker.claim(first)
        at_once(lambda run=run: cancel(run), lambda first=first: worker.report(first, "succeeded", exit_code=0))

        state = selectors.state_of(Run.objects.get(pk=run.pk))
        assert state["status"] == "cancelled"
        assert replay(run.pk) == state
        assert worker.inbox() == []
