"""What agents say about their commands."""

from uuid import uuid4

import pytest

from apps.accounts.refusals import Conflict, Invalid, NotFound
from apps.agents import carriers
from apps.agents.contract import AgentUpdated, PrintOutput, TeamTopic, TerminalTopic
from apps.agents.services import facts, print_output, request_command
from apps.events.models import StoredEvent

SPEC = {"argv": ["git", "log"]}


@pytest.fixture
def command(worker, team):
    return request_command(team_id=team.pk, spec=SPEC, agent="worker", purpose="test", context={"step": 4})


def test_a_command_is_claimed_and_ended(worker, command):
    worker.claim(command)
    worker.report(command, "failed", exit_code=2, error="a\0b", cpu_seconds=0.5, max_rss_bytes=10**9)
    command.refresh_from_db()
    assert (command.status, command.exit_code, command.error) == ("failed", 2, "a\ufffdb")
    assert (command.cpu_seconds, command.max_rss_bytes) == (0.5, 10**9)
    assert command.created_at <= command.sent_at <= command.started_at <= command.ended_at
    assert [event["status"] for event in worker.inbox_of("command:state")] == ["running", "failed"]


def test_it_is_claimed_once(worker, command):
    worker.claim(command)
    with pytest.raises(Conflict, match="running already"):
        worker.claim(command)


def test_the_same_claim_sent_again_gets_the_same_answer(worker, command):
    first = worker.report(command, "running", id="claim", instance=worker.instance)
    assert worker.report(command, "running", id="claim", instance=worker.instance) == first


def test_a_claim_is_answered_again_only_while_it_holds(worker, command):
    """Who hears again that a command is its own would start it again."""
    worker.report(command, "running", id="claim", instance=worker.instance)
    with pytest.raises(Conflict, match="another process"):
        worker.report(command, "running", id="claim", instance="another")
    ended = worker.report(command, "succeeded", id="end", exit_code=0)
    with pytest.raises(Conflict, match="succeeded already"):
        worker.report(command, "running", id="claim", instance=worker.instance)
    assert worker.report(command, "succeeded", id="end", exit_code=0) == ended


def test_an_id_that_named_another_command_is_refused_and_nothing_is_taken_for_said(worker, command, team):
    """An agent that numbers its frames anew after a restart would lose what it prints."""
    other = request_command(team_id=team.pk, spec=SPEC, agent="worker")
    worker.report(command, "running", id="3", instance=worker.instance)
    worker.print(command, "first", id="1")
    with pytest.raises(Conflict, match="used the id 3 for another command:state"):
        worker.report(other, "running", id="3", instance=worker.instance)
    worker.claim(other)
    with pytest.raises(Conflict, match="used the id 1 for another terminal:output"):
        worker.print(other, "second", id="1")
    assert worker.print(command, "first", id="1")["seq"] == 1


def test_an_end_and_a_step_of_an_interrupt_need_what_they_speak_of(worker, command):
    with pytest.raises(Conflict, match="not claimed yet"):
        worker.report(command, "succeeded")
    with pytest.raises(Conflict, match="sent, not running"):
        worker.report(command, "running", interrupt="delivered")
    worker.claim(command)
    with pytest.raises(Conflict, match="Nobody asked"):
        worker.report(command, "running", interrupt="delivered")


def test_a_replaced_process_cannot_claim(worker, command):
    old = worker.instance
    worker.restart()
    with pytest.raises(Conflict, match="Another process"):
        worker.report(command, "running", instance=old)


def test_a_claim_without_instance_must_come_from_the_agents_connection(worker, command):
    from apps.accounts.actors import Actor
    from apps.events.dispatch import perform_sync

    frame = {
        "type": "command:state",
        "id": "c",
        "topic": f"agent.{worker.id}",
        "data": {"command_id": str(command.pk), "status": "running"},
    }
    with pytest.raises(Conflict):
        perform_sync(Actor(key=worker.key, connection="elsewhere"), frame)
    perform_sync(worker.actor, frame)


def test_a_claim_shows_that_the_agent_is_alive(worker, command):
    worker.status(leaving=True)
    worker.claim(command)
    assert worker.row.status == "online"


def test_what_was_not_claimed_cannot_end(worker, command):
    with pytest.raises(Conflict):
        worker.report(command, "succeeded", exit_code=0)


def test_what_is_over_stays_as_it_is(worker, command):
    worker.claim(command)
    worker.report(command, "succeeded", exit_code=0)
    for status in ("failed", "interrupted", "running"):
        with pytest.raises(Conflict):
            worker.report(command, status)


def test_another_agent_cannot_speak_for_it(worker, hire, command):
    second = hire("second")
    with pytest.raises(Conflict):
        second.claim(command)
    with pytest.raises(NotFound):
        second.claim(uuid4())


@pytest.mark.parametrize("status", ["lost", "queued", "sent", "done"])
def test_an_agent_cannot_report_what_only_the_server_knows(worker, command, status):
    with pytest.raises(Invalid):
        worker.report(command, status)


@pytest.fixture
def mirrored(worker, team, monkeypatch):
    """What the owner got of the output: (context, text, offset), in order."""
    pieces = []

    class Carrier:
        def state_changed(self, command):
            pass

        def mirror(self, context, text, offset, at):
            pieces.append((context, text, offset))
            return TeamTopic(team_id=team.pk), AgentUpdated.of(worker.row)

    monkeypatch.setitem(carriers._carriers, "test", Carrier())
    return pieces


def test_output_becomes_an_event_of_the_terminal_and_one_of_the_owner(worker, command, team, mirrored):
    worker.claim(command)
    topic = TerminalTopic(agent_id=worker.id)
    drafts = print_output(worker.actor, topic, PrintOutput(command_id=command.pk, offset=3, text="hi"))
    assert [(str(topic), event.TYPE) for topic, event in drafts] == [
        (f"terminal.{worker.id}", "terminal:output"),
        (f"team.{team.pk}", "agent_update"),
    ]
    who = {"command_id": str(command.pk), "agent": "worker", "agent_id": worker.id}
    assert mirrored == [({"step": 4, **who}, "hi", 3)]


def test_output_after_the_end_is_for_the_terminal_only(worker, command, mirrored, django_capture_on_commit_callbacks):
    worker.claim(command)
    worker.print(command, "one")
    with django_capture_on_commit_callbacks(execute=True):
        worker.report(command, "succeeded", exit_code=0)
    worker.print(command, "two", 3)
    assert [text for _, text, _ in mirrored] == ["one"]
    printed = StoredEvent.objects.filter(topic=f"terminal.{worker.id}").order_by("seq")
    assert [event.payload["text"] for event in printed] == ["one", "two"]


def test_an_end_that_another_process_heard_of_is_seen_a_moment_later(worker, command, mirrored, monkeypatch):
    worker.claim(command)
    worker.print(command, "one")
    worker.report(command, "succeeded", exit_code=0)  # nobody forgets anything before the commit
    monkeypatch.setattr(facts.time, "monotonic", lambda now=facts.time.monotonic: now() + facts.BELIEVED_SECONDS)
    worker.print(command, "two", 3)
    assert [text for _, text, _ in mirrored] == ["one"]


def test_what_was_claimed_a_moment_ago_needs_no_look_up_of_its_own(
    hire, team, django_capture_on_commit_callbacks, django_assert_num_queries
):
    with django_capture_on_commit_callbacks(execute=True):
        prints = [_first_print(hire(name), name, team) for name in ("first", "second", "third")]
    with django_assert_num_queries(1):  # for all of them, since the time of what was believed is over
        for said in prints:
            print_output(*said)


def _first_print(agent, name, team):
    """The agent claims a command; what it is about to say then."""
    command = request_command(team_id=team.pk, spec=SPEC, agent=name, purpose="test", context={})
    agent.claim(command)
    frame = PrintOutput(command_id=command.pk, offset=0, text="hi")
    return agent.actor, TerminalTopic(agent_id=agent.id), frame


def test_output_costs_no_query_after_the_first(worker, command, django_assert_num_queries):
    worker.claim(command)
    topic = TerminalTopic(agent_id=worker.id)
    frame = PrintOutput(command_id=command.pk, offset=0, text="hi")
    print_output(worker.actor, topic, frame)
    with django_assert_num_queries(0):
        for _ in range(100):
            print_output(worker.actor, topic, frame)


def test_what_still_prints_a_moment_later_is_looked_up_in_one_query(hire, team, monkeypatch, django_assert_num_queries):
    prints = [_first_print(hire(name), name, team) for name in ("first", "second", "third")]
    for said in prints:
        print_output(*said)
    for over in (1, 2):
        monkeypatch.setattr(facts.time, "monotonic", lambda now=facts.time.monotonic: now() + facts.BELIEVED_SECONDS)
        with django_assert_num_queries(1):
            for said in prints[over:]:
                print_output(*said)


def test_output_of_what_was_not_claimed_is_refused(worker, command):
    topic = TerminalTopic(agent_id=worker.id)
    with pytest.raises(Conflict):
        print_output(worker.actor, topic, PrintOutput(command_id=command.pk, offset=0, text="hi"))
    worker.claim(command)
    assert print_output(worker.actor, topic, PrintOutput(command_id=command.pk, offset=0, text="hi"))


def test_output_of_a_foreign_command_is_refused(worker, hire, command):
    worker.claim(command)
    second = hire("second")
    for command_id in (command.pk, uuid4()):
        with pytest.raises(NotFound):
            print_output(
                second.actor, TerminalTopic(agent_id=second.id), PrintOutput(command_id=command_id, offset=0, text="hi")
            )
