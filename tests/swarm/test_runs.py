"""Runs from start to end, with agents that speak frames. After each test, the events and the rows tell the same."""

import pytest

from apps.accounts.models import Membership, Team
from apps.accounts.refusals import Conflict, Forbidden, NotFound
from apps.accounts.roles import Role
from apps.agents.models import Command
from apps.events.models import StoredEvent
from apps.swarm import selectors
from apps.swarm.models import Run
from apps.tasks import life
from tests.swarm.replay import replay
from tests.tasks.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def events_and_rows_agree(db):
    yield
    for run in Run.objects.all():
        assert replay(run.pk) == selectors.state_of(run)


@pytest.fixture
def worker(agent_key):
    return Worker(agent_key)


def statuses(run):
    """{step: status}, and the stages' and the run's under their own names."""
    state = selectors.state_of(Run.objects.get(pk=run.pk))
    stages = {stage["name"]: stage["status"] for stage in state["stages"]}
    steps = {step["key"]: step["status"] for stage in state["stages"] for step in stage["steps"]}
    return {"run": state["status"], **stages, **steps}


def of_step(worker, name):
    return next(command for command in worker.inbox() if command.context["step"] == name)


def types(run):
    return list(StoredEvent.objects.filter(topic=run.topic).order_by("seq").values_list("type", flat=True))


def test_stages_follow_each_other_and_steps_go_side_by_side(write_project, start, worker):
    run = start(write_project({"lint": {}, "types": {}}, {"unit": {}}))
    assert statuses(run) == {
        "run": "running",
        "stage 1": "running",
        "lint": "queued",
        "types": "queued",
        "stage 2": "waiting",
        "unit": "waiting",
    }

    worker.carry_out(of_step(worker, "lint"))
    assert statuses(run)["stage 2"] == "waiting"
    worker.carry_out(of_step(worker, "types"))
    assert statuses(run)["stage 2"] == "running"
    worker.carry_out(of_step(worker, "unit"))

    assert set(statuses(run).values()) == {"completed"}
    run.refresh_from_db()
    assert run.ended_at is not None


def test_a_run_tells_its_story_in_order(write_project, start, worker):
    run = start(write_project({"lint": {}}))
    worker.carry_out_all()

    assert types(run) == [
        "project_started",
        "workflow_stage_update",
        "agent_status_update",
        "workflow_log",  # $ make lint
        "agent_status_update",
        "workflow_log",  # lint completed
        "agent_status_update",
        "project_progress",
        "workflow_stage_update",
        "project_completed",
    ]


def test_the_team_hears_of_runs_and_tasks(write_project, start, worker, team):
    start(write_project({"lint": {}}))
    worker.carry_out_all()

    heard = StoredEvent.objects.filter(topic=f"team.{team.pk}").order_by("seq")
    runs = [event.payload for event in heard if event.type == "run_update"]
    assert [(r["status"], r["done"], r["total"]) for r in runs] == [("running", 0, 1), ("completed", 1, 1)]
    tasks = [event.payload["status"] for event in heard if event.type == "task_update"]
    assert tasks == ["queued", "running", "completed"]


def test_work_is_spread_over_two_agents(write_project, start, agent_key):
    workers = [Worker(agent_key, "box-1"), Worker(agent_key, "box-2")]
    start(write_project({"lint": {}, "types": {}}))

    assert [len(worker.inbox()) for worker in workers] == [1, 1]


def test_a_step_can_name_its_agent(write_project, start, agent_key):
    Worker(agent_key, "box-1")
    second = Worker(agent_key, "box-2")
    start(write_project({"lint": {"agent": "box-2"}, "types": {"agent": "box-2"}}))

    assert len(second.inbox()) == 2


def test_a_name_that_no_agent_has_is_refused_at_the_start(write_project, start):
    with pytest.raises(Conflict, match='no agent called "ghost"'):
        start(write_project({"lint": {"label": "local"}}, {"unit": {"agent": "ghost"}}))

    assert not Run.objects.exists()


def test_an_agent_that_is_gone_by_then_fails_its_step(write_project, start, worker, agent_key):
    Worker(agent_key, "box-2")
    run = start(write_project({"lint": {"agent": "box-1"}}, {"unit": {"agent": "box-2"}}, {"late": {}}))
    worker.team_forgets("box-2")
    worker.carry_out_all()

    assert statuses(run) | {"run": "failed", "unit": "failed", "late": "skipped"} == statuses(run)


def test_without_agents_a_run_waits(write_project, start, agent_key):
    run = start(write_project({"lint": {}}))
    assert statuses(run)["lint"] == "queued"

    Worker(agent_key).carry_out_all()
    assert statuses(run)["run"] == "completed"


def test_a_failed_step_lets_the_others_end_and_then_fails_the_run(write_project, start, worker):
    run = start(write_project({"lint": {}, "types": {}}, {"unit": {}}))
    worker.carry_out(of_step(worker, "lint"), exit_code=2)
    assert statuses(run)["run"] == "running"
    assert selectors.state_of(Run.objects.get())["error"] == {
        "code": "step_failed",
        "message": 'Step "lint" failed with exit code 2.',
        "step": "lint",
    }

    worker.carry_out(of_step(worker, "types"))

    assert statuses(run) == {
        "run": "failed",
        "stage 1": "failed",
        "lint": "failed",
        "types": "completed",
        "stage 2": "skipped",
        "unit": "skipped",
    }


def test_a_step_may_be_allowed_to_fail(write_project, start, worker):
    run = start(write_project({"lint": {"allow_failure": True}}, {"unit": {}}))
    worker.carry_out_all(exit_code=1)
    worker.carry_out_all()

    assert statuses(run) == {
        "run": "completed",
        "stage 1": "completed",
        "lint": "failed",
        "stage 2": "completed",
        "unit": "completed",
    }


def test_a_failed_step_is_tried_again(write_project, start, worker):
    run = start(write_project({"flaky": {"retries": 1}}, {"unit": {}}))
    worker.carry_out_all(exit_code=1)
    assert statuses(run)["flaky"] == "queued"
    worker.carry_out_all()

    assert statuses(run)["flaky"] == "completed"
    tries = StoredEvent.objects.filter(topic=run.topic, type="agent_status_update").order_by("seq")
    flaky = [(e.payload["status"], e.payload["attempt"]) for e in tries if e.payload["step"] == "flaky"]
    assert flaky == [("queued", 1), ("running", 1), ("failed", 1), ("queued", 2), ("running", 2), ("completed", 2)]


def test_a_step_whose_agent_vanishes_goes_to_another(write_project, start, worker, agent_key):
    run = start(write_project({"lint": {}}))
    worker.claim(of_step(worker, "lint"))
    other = Worker(agent_key, "box-2")
    worker.vanish()

    assert [step.agent for step in run.steps.all()] == ["box-2"]
    other.carry_out_all()
    assert statuses(run)["run"] == "completed"
    lost = StoredEvent.objects.filter(topic=run.topic, type="agent_status_update", data__contains='"lost"')
    assert [(e.payload["agent"], e.payload["attempt"]) for e in lost] == [("box-1", 1)]


def test_a_step_that_must_not_be_repeated_is_lost(write_project, start, worker):
    run = start(write_project({"deploy": {"lost_retries": 0}}))
    worker.claim(of_step(worker, "deploy"))
    worker.vanish()

    assert statuses(run) == {"run": "failed", "stage 1": "failed", "deploy": "lost"}


def test_a_cancelled_run_interrupts_what_runs_and_skips_the_rest(write_project, start, cancel, worker):
    run = start(write_project({"lint": {}, "types": {}}, {"unit": {}}))
    lint = of_step(worker, "lint")
    worker.claim(lint)

    cancel(run)

    assert statuses(run) | {"run": "running", "lint": "running", "types": "cancelled"} == statuses(run)
    worker.report(lint, "interrupted", exit_code=130)
    assert statuses(run) == {
        "run": "cancelled",
        "stage 1": "failed",
        "lint": "cancelled",
        "types": "cancelled",
        "stage 2": "skipped",
        "unit": "skipped",
    }
    assert selectors.state_of(Run.objects.get())["error"]["message"] == "Cancelled by bob."


def test_a_slot_that_gets_free_starts_nothing_of_a_cancelled_run(write_project, start, cancel, agent_key):
    worker = Worker(agent_key, slots=1)
    run = start(write_project({"a": {}, "b": {}, "c": {}}))
    cancel(run)

    assert statuses(run)["run"] == "cancelled"
    assert worker.inbox() == []
    assert Command.objects.exclude(request_seq=None).count() == 1


def test_a_run_that_waits_is_cancelled_at_once(write_project, start, cancel):
    run = start(write_project({"lint": {}}, {"unit": {}}))
    cancel(run)

    assert statuses(run)["run"] == "cancelled"


def test_a_run_that_is_over_is_not_cancelled(write_project, start, cancel, worker):
    run = start(write_project({"lint": {}}))
    worker.carry_out_all()

    with pytest.raises(Conflict, match="completed"):
        cancel(run)


def test_cancelling_twice_is_no_harm(write_project, start, cancel, worker):
    run = start(write_project({"lint": {}}))
    lint = of_step(worker, "lint")
    worker.claim(lint)
    cancel(run)
    cancel(run)
    worker.report(lint, "interrupted")

    assert statuses(run)["run"] == "cancelled"
    assert types(run).count("project_error") == 1


def test_a_step_that_ends_well_after_the_cancel_stays_well(write_project, start, cancel, worker):
    run = start(write_project({"lint": {}}, {"unit": {}}))
    lint = of_step(worker, "lint")
    worker.claim(lint)
    cancel(run)
    worker.report(lint, "succeeded", exit_code=0)

    assert statuses(run) | {"run": "cancelled", "lint": "completed", "unit": "skipped"} == statuses(run)


def test_news_that_comes_again_changes_nothing(write_project, start, worker):
    run = start(write_project({"lint": {}, "types": {}}, {"unit": {}}))
    lint = of_step(worker, "lint")
    worker.carry_out(lint)
    before = types(run)

    life.apply(Command.objects.get(pk=lint.pk))

    assert types(run) == before


def test_the_same_frame_twice_is_one_run(write_project, start):
    project = write_project({"lint": {}})

    assert start(project, id="once") == start(project, id="once")
    assert Run.objects.count() == 1


def test_a_run_keeps_the_plan_it_started_with(write_project, start, worker):
    run = start(write_project({"lint": {}}, {"unit": {}}))
    write_project({"other": {}})
    worker.carry_out_all()
    worker.carry_out_all()

    assert statuses(run)["unit"] == "completed"


def test_two_runs_of_one_project_do_not_meet(write_project, start, worker):
    project = write_project({"lint": {}})
    first, second = start(project), start(project)
    worker.carry_out(next(c for c in worker.inbox() if c.context["run_id"] == str(first.pk)))

    assert (statuses(first)["run"], statuses(second)["run"]) == ("completed", "running")


def test_an_agent_can_report_though_the_run_was_deleted(write_project, start, worker):
    run = start(write_project({"lint": {}}))
    run.delete()
    worker.carry_out_all()

    assert Command.objects.get().status == "succeeded"


def test_only_operators_run_and_cancel(write_project, start, cancel, victor, mallory, alice):
    project = write_project({"lint": {}})
    with pytest.raises(Forbidden):
        start(project, by=victor)
    with pytest.raises(NotFound):
        start(project, by=mallory)

    run = start(project, by=alice)
    with pytest.raises(Forbidden):
        cancel(run, by=victor)
    with pytest.raises(NotFound):
        cancel(run, by=mallory)


def test_a_project_of_another_team_is_not_found(write_project, start, mallory):
    project = write_project({"lint": {}})
    project.team = Team.objects.create(name="Theirs")
    Membership.objects.create(team=project.team, user=mallory, role=Role.OWNER)

    with pytest.raises(NotFound):
        start(project, by=mallory)


def test_output_becomes_log_lines_of_the_run(write_project, start, worker):
    from apps.agents.carriers import carrier_of
    from apps.events import wire

    run = start(write_project({"lint": {}}))
    command = of_step(worker, "lint")
    context = {**command.context, "command_id": str(command.pk), "agent": "box-1", "agent_id": worker.agent_id}

    topic, event = carrier_of(command.purpose).mirror(context, "\033[32mok\033[0m\n", 17, wire.now())

    assert str(topic) == run.topic
    assert event.model_dump(mode="json") == {
        "stage": "stage 1",
        "step": "lint",
        "task_id": command.context["task_id"],
        "agent": "box-1",
        "level": "info",
        "text": "\033[32mok\033[0m\n",
        "offset": 17,
    }
