"""Agents come, prove that they are alive, and go."""

from datetime import timedelta

import pytest

from apps.accounts.actors import Actor
from apps.accounts.models import ApiKey
from apps.accounts.refusals import Conflict, Forbidden, Invalid, NotFound
from apps.agents.contract import AgentTopic
from apps.agents.models import Agent, Command
from apps.agents.services import delete_agent, interrupt, request_command
from apps.agents.services.presence import note_disconnect
from apps.events import log, wire
from apps.events.dispatch import perform_sync
from apps.events.models import StoredEvent


def team_news(team, type="agent_update"):
    events = StoredEvent.objects.filter(topic=f"team.{team.pk}", type=type).order_by("seq")
    return [event.payload for event in events]


def test_an_agent_registers_itself(worker, team):
    agent = Agent.objects.get(name="worker")
    assert (agent.status, agent.team, agent.labels, agent.slots) == ("online", team, ["local"], 1)
    news = team_news(team)
    assert [(n["change"], n["name"], n["status"], n["busy"]) for n in news] == [("registered", "worker", "online", 0)]


def test_the_answer_says_where_to_read_on(worker):
    answer = worker.connect()
    assert answer["topic"] == f"agent.{worker.id}"
    assert answer["terminal"] == f"terminal.{worker.id}"
    assert answer["lease_seconds"] == 3 * answer["heartbeat_seconds"] == 15
    assert answer["after"] == worker.inbox[-2].seq


def test_the_cursor_lies_before_the_oldest_open_request(worker, team):
    first = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    request_command(team_id=team.pk, spec={"argv": ["b"]}, agent="worker")
    assert worker.restart()["after"] == first.request_seq - 1
    worker.claim(first)
    worker.report(first, "succeeded")
    assert worker.connect()["after"] == first.request_seq


def test_a_request_whose_event_was_pruned_is_sent_again(worker, team):
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    from apps.events.models import Head

    Head.objects.filter(topic=f"agent.{worker.id}").update(floor=command.request_seq)
    answer = worker.restart()
    command.refresh_from_db()
    assert command.request_seq == answer["after"] + 1
    assert [r["command_id"] for r in worker.inbox_of("command:request")] == [str(command.pk)] * 2


def test_a_person_cannot_introduce_himself_as_an_agent(alice):
    with pytest.raises(Forbidden):
        perform_sync(Actor(user=alice), {"type": "agent:connect", "id": "1", "data": {"name": "x", "instance": "i"}})


@pytest.mark.parametrize(
    "data",
    [
        {"name": ""},
        {"name": " x"},
        {"name": "a\nb"},
        {"name": "a\0b"},
        {"name": "x" * 101},
        {"instance": "i" * 65},
        {"accepts": ["k" * 33]},
        {"slots": 0},
        {"running": ["no uuid"]},
        {"labels": "local"},
        {"version": "\0"},
        {"surprise": 1},
    ],
)
def test_an_odd_introduction_is_refused(worker, data):
    with pytest.raises(Invalid):
        worker._send("agent:connect", None, {"name": "worker", "instance": "i", **data})


def test_a_heartbeat_renews_the_lease_and_makes_no_event(worker, team):
    before = worker.row.lease_until
    events = StoredEvent.objects.count()
    for _ in range(3):
        assert worker.status(metrics={"cpu_percent": 12.5, "rss_bytes": 1000, "load": 0.3}) == {}
    assert StoredEvent.objects.count() == events
    assert worker.row.lease_until >= before
    assert worker.row.metrics == {"cpu_percent": 12.5, "rss_bytes": 1000, "load": 0.3}


def test_a_heartbeat_that_brings_nothing_new_costs_four_queries(worker, team, django_assert_num_queries):
    """Was this frame carried out before, the agent, what it has claimed, its new lease."""
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    worker.claim(command)
    worker.status(running=[str(command.pk)])
    with django_assert_num_queries(4 + 2):  # and the savepoint's two in a test
        worker.status(running=[str(command.pk)])


def test_metrics_are_whispered_when_they_changed(worker, monkeypatch):
    said = []
    monkeypatch.setattr(log, "whisper", lambda topic, whisper: said.append((str(topic), whisper.metrics.load)))
    for load in (0.5, 0.5, 0.7):
        worker.status(metrics={"load": load})
    assert said == [(f"agent.{worker.id}", 0.5), (f"agent.{worker.id}", 0.7)]


def test_a_process_that_was_replaced_hears_a_conflict(worker, agent_key):
    old = worker.instance
    worker.restart()
    with pytest.raises(Conflict, match="Another process"):
        worker._send("agent:status", f"agent.{worker.id}", {"instance": old})


def test_an_ended_socket_makes_it_away_and_its_return_online(worker, team):
    note_disconnect(worker.actor)
    assert worker.row.status == "away"
    worker.connect()
    assert worker.row.status == "online"
    assert [news["status"] for news in team_news(team)] == ["online", "away", "online"]


def test_the_late_end_of_an_old_socket_changes_nothing(worker):
    old = worker.actor
    worker.connect()
    note_disconnect(old)
    assert worker.row.status == "online"


def test_who_leaves_is_offline_at_once(worker, team):
    worker.status(leaving=True)
    assert worker.row.status == "offline"
    assert team_news(team)[-1]["status"] == "offline"


def test_a_heartbeat_after_the_lease_ended_brings_it_back(worker, team):
    worker.status(leaving=True)
    worker.status()
    assert worker.row.status == "online"
    assert worker.row.connection == worker.actor.connection


def test_the_same_instance_keeps_what_it_still_runs(worker, team):
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    worker.claim(command)
    assert worker.connect(running=[str(command.pk)])["stop"] == []
    command.refresh_from_db()
    assert command.status == "running"
    worker.report(command, "succeeded", exit_code=0)


def test_what_the_same_instance_does_not_know_any_more_is_lost(worker, team):
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    worker.claim(command)
    worker.connect(running=[])
    command.refresh_from_db()
    assert (command.status, command.error) == ("lost", "The agent does not know this command any more.")


def test_a_new_process_loses_what_the_old_one_ran_and_keeps_what_it_had_not_begun(worker, team):
    running = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    waiting = request_command(team_id=team.pk, spec={"argv": ["b"]}, agent="worker")
    worker.claim(running)
    worker.restart()
    running.refresh_from_db()
    waiting.refresh_from_db()
    assert (running.status, running.error) == ("lost", "The agent was started anew.")
    assert waiting.status == "sent"
    worker.claim(waiting)


@pytest.mark.parametrize(("now", "keeps"), [({"labels": ["other"]}, 0), ({"labels": ["local"], "slots": 1}, 1)])
def test_a_new_process_keeps_of_the_unclaimed_requests_what_still_fits(worker, hire, team, now, keeps):
    worker.restart(labels=["local"], slots=2)
    commands = [request_command(team_id=team.pk, spec={"argv": ["a"]}, label="local") for _ in range(2)]
    assert {command.agent_name for command in commands} == {"worker"}
    worker.restart(**now)
    assert worker.row.commands.filter(status="sent").count() == keeps
    hire("second", labels=["local"], slots=2)
    assert set(Command.objects.values_list("status", flat=True)) == {"sent"}


def test_its_topic_tells_what_left_its_inbox(worker, hire, team):
    """Its card shows what lies there, and so may others."""
    named = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    worker.restart(labels=["local"], slots=2)
    anybodys = request_command(team_id=team.pk, spec={"argv": ["a"]}, label="local")
    worker.status(leaving=True)
    told = [(state["command_id"], state["status"]) for state in worker.inbox_of("command:state")]
    assert told == [(str(anybodys.pk), "queued")]
    hire("second", labels=["local"])
    states = dict(Command.objects.values_list("pk", "agent_name"))
    assert states == {named.pk: "worker", anybodys.pk: "second"}


def test_it_is_told_to_stop_what_was_given_up(worker, team):
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    worker.claim(command)
    worker.status(leaving=True)
    assert worker.connect(running=[str(command.pk)])["stop"] == [str(command.pk)]


def test_what_is_given_to_it_again_is_not_to_be_stopped(worker, team):
    """Its claim was not heard, its lease ended, and the request went back to the queue; now the process is back."""
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, label="local")
    worker.status(leaving=True)
    command.refresh_from_db()
    assert command.status == "queued"
    answer = worker.connect(labels=["local"], running=[str(command.pk)])
    command.refresh_from_db()
    assert (command.status, command.agent_name, answer["stop"]) == ("sent", "worker", [])
    assert answer["after"] == command.request_seq - 1
    worker.claim(command)


def test_what_its_heartbeats_do_not_name_is_lost(worker, team):
    kept, forgotten, fresh = (request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker") for _ in range(3))
    for command in (kept, forgotten, fresh):
        worker.claim(command)
    old = Command.objects.filter(pk__in=[kept.pk, forgotten.pk])
    old.update(started_at=wire.now() - timedelta(seconds=9))
    worker.status(running=[str(kept.pk)])
    assert dict(Command.objects.values_list("pk", "status")) == {
        kept.pk: "running",
        forgotten.pk: "lost",
        fresh.pk: "running",
    }
    assert Command.objects.get(pk=forgotten.pk).error == "The agent does not know this command any more."


def test_an_agent_is_spoken_for_with_its_own_key_only(worker, team):
    other, _ = ApiKey.objects.create_key(name="another machine", team=team)
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    worker.claim(command)
    interrupt(command, by="bob")
    own, worker.actor = worker.actor, Actor(key=other)
    says = [
        lambda: worker.status(leaving=True),
        lambda: worker.report(command, "succeeded", exit_code=0),
        lambda: worker.report(command, "running", interrupt="delivered"),
        lambda: worker.print(command, "all green"),
    ]
    for say in says:
        with pytest.raises(Forbidden, match="another key"):
            say()
    worker.actor = own
    for say in says[::-1]:
        say()


def test_another_key_of_the_team_may_take_the_name(worker, team):
    """Keys are replaced."""
    worker.key, _ = ApiKey.objects.create_key(name="next year's", team=team)
    worker.restart()
    assert worker.row.key == worker.key
    worker.status()


def test_a_stray_is_interrupted_once_through_the_inbox(worker, team):
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    worker.claim(command)
    worker.status(leaving=True)
    Command.objects.update(ended_at=wire.now() - timedelta(seconds=9))
    for _ in range(2):
        worker.status(running=[str(command.pk)])
    assert [e["command_id"] for e in worker.inbox_of("command:interrupt")] == [str(command.pk)]
    command.refresh_from_db()
    assert command.interrupt_sent_at is None, "nobody asked for it"


def test_only_an_offline_agent_can_be_deleted_and_its_history_stays(worker, team):
    with pytest.raises(Conflict):
        delete_agent(worker.row)
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    worker.status(leaving=True)
    delete_agent(worker.row)
    command.refresh_from_db()
    assert (command.status, command.agent, command.agent_name) == ("lost", None, "worker")
    assert team_news(team)[-1]["change"] == "deleted"
    with pytest.raises(NotFound):
        worker.status()


def test_a_stranger_sees_no_agent(worker, mallory, victor, alice, agent_key):
    topic = AgentTopic(agent_id=worker.id)
    assert topic.can_read(Actor(user=victor))
    assert not topic.can_read(Actor(user=mallory))
    assert not AgentTopic(agent_id=alice_id()).can_read(Actor(user=alice))
    with pytest.raises(NotFound):
        perform_sync(
            Actor(user=mallory),
            {"type": "command:request", "id": "1", "topic": str(topic), "data": {"spec": {"argv": ["a"]}}},
        )


def alice_id():
    from uuid import uuid4

    return uuid4()
