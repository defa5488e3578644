"""Tasks from their wish to their end, with agents that speak frames."""

from uuid import uuid4

import pytest

from apps.accounts.actors import Actor
from apps.accounts.models import Membership, Team
from apps.accounts.refusals import Conflict, Forbidden, Invalid, NotFound
from apps.accounts.roles import Role
from apps.agents.models import Command
from apps.agents.services import interrupt
from apps.events.dispatch import perform_sync
from apps.events.models import StoredEvent
from apps.tasks import life
from apps.tasks.models import Task
from tests.tasks.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(agent_key):
    return Worker(agent_key)


def say(person, type, team, id=None, **data):
    frame = {"type": type, "id": id or uuid4().hex, "topic": f"team.{team.pk}", "data": data}
    return perform_sync(Actor(user=person), frame)


def submit(person, team, query="uptime", **data):
    return Task.objects.get(pk=say(person, "task:submit", team, query=query, **data)["data"]["task_id"])


def told(task):
    """What the team heard of a task: (status, attempt), one after the other."""
    events = StoredEvent.objects.filter(topic=f"team.{task.team_id}", type="task_update").order_by("seq")
    return [
        (event.payload["status"], event.payload["attempt"])
        for event in events
        if event.payload["task_id"] == str(task.pk)
    ]


def agrees_with_its_last_event(task):
    task = Task.objects.get(pk=task.pk)
    events = StoredEvent.objects.filter(topic=f"team.{task.team_id}", type="task_update").order_by("-seq")
    return next(e.payload for e in events if e.payload["task_id"] == str(task.pk)) == task.as_data()


def test_a_task_is_carried_out_by_an_agent(bob, team, worker):
    task = submit(bob, team, "uptime", label="local", timeout=30)

    [command] = worker.inbox()
    assert command.spec == {"shell": "uptime", "timeout": 30}
    worker.carry_out(command)

    task.refresh_from_db()
    assert (task.status, task.progress, task.exit_code, task.agent_name) == ("completed", 100, 0, "box-1")
    assert task.started_at <= task.ended_at
    # Queued twice: written, and then in the inbox of box-1.
    assert told(task) == [("queued", 1), ("queued", 1), ("running", 1), ("completed", 1)]
    assert agrees_with_its_last_event(task)


def test_the_command_may_differ_from_the_words(bob, team, worker):
    submit(bob, team, "How long is it up?", command="uptime -p", agent="box-1")

    assert worker.inbox()[0].spec["shell"] == "uptime -p"


def test_the_same_frame_twice_is_one_task(bob, team, worker):
    first = say(bob, "task:submit", team, id="once", query="uptime", label="local")
    again = say(bob, "task:submit", team, id="once", query="uptime", label="local")

    assert first == again
    assert Task.objects.count() == Command.objects.count() == 1


def test_it_refuses_an_agent_that_nobody_knows(bob, team):
    with pytest.raises(NotFound, match='no agent called "ghost"'):
        submit(bob, team, agent="ghost")


@pytest.mark.parametrize(
    "data",
    [
        {"query": ""},
        {"query": " \n\t"},
        {"query": "x", "command": "  "},
        {"query": "x\0"},
        {"query": "x" * 8001},
        {"query": "x", "agent": "a", "label": "b"},
        {"query": "x", "timeout": 0},
        {"query": "x", "timeout": "soon"},
        {"query": "x", "retries": 11},
        {"query": "x", "colour": "red"},
        {},
    ],
)
def test_it_refuses_what_is_no_task(bob, team, data):
    with pytest.raises(Invalid):
        say(bob, "task:submit", team, **data)

    assert not Task.objects.exists()


def test_a_viewer_and_a_stranger_submit_nothing(victor, mallory, team):
    with pytest.raises(Forbidden):
        submit(victor, team)
    with pytest.raises(NotFound):
        submit(mallory, team)


def test_a_failed_task_stays_failed_without_retries(bob, team, worker):
    task = submit(bob, team, "false", label="local")
    worker.carry_out_all(exit_code=7)

    task.refresh_from_db()
    assert (task.status, task.exit_code, task.progress) == ("failed", 7, 0)
    assert worker.inbox() == []


def test_a_failed_task_is_tried_again_as_often_as_it_may(bob, team, worker):
    task = submit(bob, team, "false", label="local", retries=2)

    assert [worker.carry_out_all(exit_code=1) for _ in range(4)] == [1, 1, 1, 0]
    task.refresh_from_db()
    assert (task.status, task.attempt, Command.objects.count()) == ("failed", 3, 3)
    assert told(task)[-3:] == [("queued", 3), ("running", 3), ("failed", 3)]


def test_a_retry_can_end_well(bob, team, worker):
    task = submit(bob, team, "flaky", label="local", retries=1)
    worker.carry_out_all(exit_code=1)
    worker.carry_out_all(exit_code=0)

    task.refresh_from_db()
    assert (task.status, task.attempt, task.exit_code) == ("completed", 2, 0)
    assert agrees_with_its_last_event(task)


def test_the_same_state_again_changes_nothing(bob, team, worker):
    task = submit(bob, team, "flaky", label="local", retries=1)
    [first] = worker.inbox()
    worker.carry_out(first, exit_code=1)
    before = told(task)

    life.apply(Command.objects.get(pk=first.pk))
    life.apply(Command.objects.get(pk=first.pk))

    assert told(task) == before
    assert Command.objects.count() == 2


def test_a_waiting_task_is_cancelled_at_once(bob, team, worker):
    task = submit(bob, team, label="local")
    say(bob, "task:cancel", team, task_id=str(task.pk))

    task.refresh_from_db()
    assert (task.status, task.cancelled_by) == ("cancelled", "bob")
    assert worker.inbox() == []
    assert agrees_with_its_last_event(task)


def test_a_running_task_is_cancelled_when_its_agent_has_stopped_it(bob, team, worker):
    task = submit(bob, team, label="local", retries=5)
    [command] = worker.inbox()
    worker.claim(command)
    answer = say(bob, "task:cancel", team, task_id=str(task.pk))
    assert answer["data"] | {"status": "running", "cancelling": True} == answer["data"]

    worker.report(command, "interrupted", exit_code=130)

    task.refresh_from_db()
    assert (task.status, task.exit_code, task.attempt) == ("cancelled", 130, 1)
    assert agrees_with_its_last_event(task)


def test_a_cancelled_task_is_not_tried_again(bob, team, worker):
    task = submit(bob, team, label="local", retries=5)
    [command] = worker.inbox()
    worker.claim(command)
    say(bob, "task:cancel", team, task_id=str(task.pk))
    worker.report(command, "failed", exit_code=1)

    task.refresh_from_db()
    assert task.status == "cancelled"
    assert worker.inbox() == []


def test_what_is_over_is_not_cancelled(bob, team, worker):
    task = submit(bob, team, label="local")
    worker.carry_out_all()

    with pytest.raises(Conflict, match="completed"):
        say(bob, "task:cancel", team, task_id=str(task.pk))


def test_a_lost_task_goes_to_another_agent(bob, team, worker, agent_key):
    task = submit(bob, team, label="local")
    worker.claim(worker.inbox()[0])
    other = Worker(agent_key, "box-2")

    worker.vanish()

    task.refresh_from_db()
    assert (task.status, task.attempt, task.losses, task.agent_name) == ("queued", 2, 1, "box-2")
    other.carry_out_all()
    task.refresh_from_db()
    assert task.status == "completed"
    assert agrees_with_its_last_event(task)


def test_a_task_that_is_lost_again_fails(bob, team, agent_key):
    task = submit(bob, team, label="local")
    for name in ("box-1", "box-2"):
        worker = Worker(agent_key, name)
        worker.claim(worker.inbox()[0])
        worker.vanish()

    task.refresh_from_db()
    assert (task.status, task.result["outcome"], task.error) == ("failed", "lost", "The agent was stopped.")


def test_what_an_agent_did_not_claim_waits_again(bob, team, worker):
    task = submit(bob, team, label="local")
    worker.vanish()

    task.refresh_from_db()
    assert (task.status, task.attempt, task.agent_name) == ("queued", 1, "")
    assert agrees_with_its_last_event(task)


def test_an_interrupt_from_elsewhere_cancels_the_task(bob, team, worker):
    task = submit(bob, team, label="local", retries=3)
    [command] = worker.inbox()
    worker.claim(command)
    interrupt(command, by="alice")
    worker.report(command, "interrupted", exit_code=130, error="Ended by SIGINT.")

    task.refresh_from_db()
    assert (task.status, task.error) == ("cancelled", "Ended by SIGINT.")


def test_a_task_that_its_agent_stopped_by_itself_is_tried_again(bob, team, worker):
    """An agent that has to end interrupts what it runs. Nobody cancelled that."""
    task = submit(bob, team, label="local")
    [command] = worker.inbox()
    worker.claim(command)
    worker.report(command, "interrupted", exit_code=130, error="The agent was stopped.")

    task.refresh_from_db()
    assert (task.status, task.attempt, task.losses) == ("queued", 2, 1)
    [again] = worker.inbox()
    worker.carry_out(again)
    task.refresh_from_db()
    assert task.status == "completed"
    assert agrees_with_its_last_event(task)


def test_a_task_that_its_agent_stopped_twice_without_a_word_fails_and_says_so(bob, team, worker):
    task = submit(bob, team)
    for _ in range(2):
        [command] = worker.inbox()
        worker.claim(command)
        worker.report(command, "interrupted")
    task.refresh_from_db()
    assert (task.status, task.result["error"]) == ("failed", "Its agent had to end it.")


@pytest.mark.parametrize("end", ["vanish", "fail"])
def test_what_somebody_interrupted_is_not_tried_again_however_it_ends(bob, team, worker, end):
    task = submit(bob, team, label="local", retries=3)
    [command] = worker.inbox()
    worker.claim(command)
    interrupt(command, by="alice")
    if end == "vanish":
        worker.vanish()
    else:
        worker.report(command, "failed", exit_code=1)

    task.refresh_from_db()
    assert (task.status, task.attempt) == ("cancelled", 1)
    assert Command.objects.count() == 1
    assert agrees_with_its_last_event(task)


def test_a_task_of_another_team_is_not_found(bob, mallory, team, worker):
    task = submit(bob, team, label="local")
    theirs = Team.objects.create(name="Theirs")
    Membership.objects.create(team=theirs, user=mallory, role=Role.OWNER)

    with pytest.raises(NotFound):
        say(mallory, "task:cancel", theirs, task_id=str(task.pk))
