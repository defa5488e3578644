"""Commands are asked for, given to agents, interrupted."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.signals import post_init

from apps.accounts.actors import SYSTEM
from apps.accounts.refusals import Conflict, Forbidden, Invalid, NotFound
from apps.agents import carriers, selectors
from apps.agents.models import Command
from apps.agents.services import interrupt, request_command

SPEC = {"argv": ["git", "log"]}


@pytest.fixture
def heard(monkeypatch):
    """What the carrier of the purpose `test` heard: (command id, status), in order."""
    news = []

    class Carrier:
        def state_changed(self, command):
            news.append((command.pk, str(command.status)))

        def mirror(self, context, text, offset, at):
            return None

    monkeypatch.setitem(carriers._carriers, "test", Carrier())
    return news


def test_a_command_for_a_named_agent_lies_in_its_inbox(worker, team):
    command = request_command(team_id=team.pk, spec=SPEC, agent="worker", by="bob")
    assert (command.status, command.agent.name, command.is_named) == ("sent", "worker", True)
    request = worker.inbox[-1]
    assert (request.type, request.seq) == ("command:request", command.request_seq)
    assert request.payload["spec"] == SPEC


def test_it_waits_there_while_the_agent_is_away(worker, team):
    worker.status(leaving=True)
    command = request_command(team_id=team.pk, spec=SPEC, agent="worker")
    assert command.status == "sent"
    worker.restart()
    worker.claim(command)


def test_nobody_waits_for_an_agent_that_does_not_exist(team):
    with pytest.raises(NotFound, match='no agent called "nobody"'):
        request_command(team_id=team.pk, spec=SPEC, agent="nobody")


def test_a_kind_that_the_agent_does_not_accept_is_refused(worker, team):
    with pytest.raises(Conflict, match="kind chat"):
        request_command(team_id=team.pk, spec={}, agent="worker", kind="chat")


def test_a_label_chooses_the_least_loaded_agent_with_a_free_slot(hire, team):
    hire("one", labels=["local"], slots=1)
    hire("two", labels=["local"], slots=2)
    hire("other", labels=["gpu"], slots=9)
    names = [request_command(team_id=team.pk, spec=SPEC, label="local").agent_name for _ in range(3)]
    assert sorted(names) == ["one", "two", "two"]
    last = request_command(team_id=team.pk, spec=SPEC, label="local")
    assert (last.status, last.agent) == ("queued", None)


def test_neither_name_nor_label_means_any_agent(worker, team):
    assert request_command(team_id=team.pk, spec=SPEC).agent_name == "worker"


def test_an_agent_of_another_team_is_not_chosen(worker, mallory):
    from apps.accounts.models import Team

    assert request_command(team_id=Team.objects.create(name="other").pk, spec=SPEC).status == "queued"


def test_a_freed_slot_takes_the_oldest_that_waits(worker, team, heard):
    first, second, third = (
        request_command(team_id=team.pk, spec=SPEC, label="local", purpose="test") for _ in range(3)
    )
    assert [c.status for c in (first, second, third)] == ["sent", "queued", "queued"]
    worker.claim(first)
    worker.report(first, "succeeded", exit_code=0)
    second.refresh_from_db()
    third.refresh_from_db()
    assert [second.status, third.status] == ["sent", "queued"]
    assert heard == [(first.pk, "running"), (first.pk, "succeeded"), (second.pk, "sent")]


def test_of_a_long_queue_is_read_what_there_are_slots_for(worker, team):
    first, *_ = (request_command(team_id=team.pk, spec=SPEC, label="local") for _ in range(100))
    worker.claim(first)
    read = []

    def note(sender, instance, **kwargs):
        read.append(instance)

    post_init.connect(note, sender=Command)
    try:
        worker.report(first, "succeeded", exit_code=0)
    finally:
        post_init.disconnect(note, sender=Command)
    assert worker.row.commands.filter(status="sent").count() == 1
    assert len(read) < 50


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL plans by how much there is, which is nothing here"
)
def test_who_is_free_and_what_waits_is_found_without_what_is_over(worker, team):
    for asked in (selectors.agents_of(SYSTEM), selectors.waiting_for([worker.row], team.pk)):
        steps = [line for line in asked.explain().splitlines() if "commands_" in line or "agents_command" in line]
        assert steps and all("status=?" in step for step in steps), steps


def test_what_a_team_asked_for_at_some_time_is_found_whatever_time_it_is_elsewhere(team):
    asked = request_command(team_id=team.pk, spec=SPEC, label="local")
    at, minute = asked.created_at, timedelta(minutes=1)
    assert list(selectors.commands_between(team.pk, at + minute, at + 2 * minute)) == [asked]
    assert list(selectors.commands_between(team.pk, at - 2 * minute, at - minute)) == [asked]
    assert not selectors.commands_between(team.pk, at - 99 * minute, at - 61 * minute)
    assert not selectors.commands_between(team.pk, at + 61 * minute, None)


def test_what_its_owner_asks_for_next_waits_behind_what_has_waited_longer(worker, team, monkeypatch):
    class Carrier:
        def state_changed(self, command):
            if command.status == "succeeded":
                following.append(request_command(team_id=team.pk, spec=SPEC, label="local"))

        def mirror(self, context, text, offset, at):
            return None

    following = []
    monkeypatch.setitem(carriers._carriers, "test", Carrier())
    first = request_command(team_id=team.pk, spec=SPEC, label="local", purpose="test")
    waiting = request_command(team_id=team.pk, spec=SPEC, label="local")
    worker.claim(first)
    worker.report(first, "succeeded", exit_code=0)
    waiting.refresh_from_db()
    assert [waiting.status, following[0].status] == ["sent", "queued"]


def test_what_waits_for_other_agents_does_not_stand_in_the_way(worker, hire, team):
    request_command(team_id=team.pk, spec=SPEC, label="gpu")
    assert request_command(team_id=team.pk, spec=SPEC, label="local").status == "sent"


def test_an_agent_that_connects_takes_what_waits(team, hire):
    command = request_command(team_id=team.pk, spec=SPEC, label="gpu")
    hire("local-1", labels=["local"])
    command.refresh_from_db()
    assert command.status == "queued"
    hire("gpu-1", labels=["gpu"])
    command.refresh_from_db()
    assert (command.status, command.agent_name) == ("sent", "gpu-1")


def test_what_an_agent_had_not_begun_goes_to_another_when_it_leaves(worker, hire, team):
    labelled = request_command(team_id=team.pk, spec=SPEC, label="local")
    second = hire("second", labels=["local"])
    worker.status(leaving=True)
    labelled.refresh_from_db()
    assert (labelled.status, labelled.agent_name) == ("sent", "second")
    worker.restart()
    with pytest.raises(Conflict, match="another agent"):
        worker.claim(labelled)
    second.claim(labelled)


def test_interrupting_what_nobody_began_ends_it_at_once(worker, team, heard):
    sent = request_command(team_id=team.pk, spec=SPEC, label="local", purpose="test")
    queued = request_command(team_id=team.pk, spec=SPEC, label="local", purpose="test")
    assert interrupt(queued, by="bob").status == "interrupted"
    assert interrupt(sent, by="bob").error == "Interrupted by bob before it started."
    assert heard == [(queued.pk, "interrupted"), (sent.pk, "interrupted")]
    with pytest.raises(Conflict, match="interrupted already"):
        worker.claim(sent)


def test_interrupting_what_runs_asks_the_agent_and_notes_each_step(worker, team, bob, send):
    command = request_command(team_id=team.pk, spec=SPEC, agent="worker")
    worker.claim(command)
    ack = send(bob, "command:interrupt", f"agent.{worker.id}", command_id=str(command.pk))
    assert ack["data"] == {"command_id": str(command.pk), "by": "bob"}
    worker.report(command, "running", interrupt="delivered")
    worker.report(command, "running", interrupt="acknowledged")
    worker.report(command, "interrupted", exit_code=130)
    command.refresh_from_db()
    assert command.status == "interrupted"
    times = [getattr(command, f"interrupt_{step}_at") for step in ("sent", "delivered", "acknowledged", "stopped")]
    assert None not in times and times == sorted(times)


def test_what_is_over_cannot_be_interrupted(worker, team, bob, send):
    command = request_command(team_id=team.pk, spec=SPEC, agent="worker")
    worker.claim(command)
    worker.report(command, "succeeded", exit_code=0)
    with pytest.raises(Conflict, match="over already: succeeded"):
        send(bob, "command:interrupt", f"agent.{worker.id}", command_id=str(command.pk))
    assert interrupt(command).status == "succeeded"


def test_an_operator_commands_a_viewer_does_not(worker, bob, victor, send):
    topic = f"agent.{worker.id}"
    with pytest.raises(Forbidden):
        send(victor, "command:request", topic, spec={"shell": "ls"})
    ack = send(bob, "command:request", topic, spec={"shell": "ls", "timeout": 5})
    command = Command.objects.get(pk=ack["data"]["command_id"])
    assert (command.requested_by, command.status, command.spec["timeout"]) == ("bob", "sent", 5)


def test_the_same_frame_twice_is_one_command(worker, bob, send):
    acks = [send(bob, "command:request", f"agent.{worker.id}", id="once", spec={"shell": "ls"}) for _ in range(2)]
    assert acks[0] == acks[1]
    assert Command.objects.count() == 1


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"argv": ["a"], "shell": "b"},
        {"shell": "  "},
        {"argv": ["a"], "shell": "  "},
        {"argv": [" ", "a"]},
        {"shell": "a\0"},
        {"shell": "a", "timeout": 0},
        {"shell": "a", "timeout": 1e9},
        {"shell": "a", "cols": 0},
        {"shell": "a", "more": 1},
        {"argv": "ls"},
    ],
)
def test_an_odd_spec_is_refused(worker, bob, send, spec):
    with pytest.raises(Invalid):
        send(bob, "command:request", f"agent.{worker.id}", spec=spec)
