"""What has to be looked at again and again."""

from datetime import timedelta

import pytest

from apps.accounts.models import ApiKey, Team
from apps.agents import carriers
from apps.agents.models import Agent, Command
from apps.agents.services import request_command, sweep, sweeping
from apps.agents.services.presence import note_disconnect
from apps.events import wire
from apps.events.models import StoredEvent
from tests.agents.conftest import Worker


@pytest.fixture(autouse=True)
def swept(monkeypatch):
    """`swept(seconds_ago=1)`: this process has long been sweeping, and did so last at that time. At first, never."""

    def remember(seconds_ago: float | None) -> None:
        at = None if seconds_ago is None else wire.now() - timedelta(seconds=seconds_ago)
        monkeypatch.setattr(sweeping, "_swept_at", at)
        monkeypatch.setattr(sweeping, "_fair_from", 0.0)

    remember(None)
    return remember


@pytest.fixture
def long_up(swept):
    """This process has been up for longer than a lease."""
    swept(seconds_ago=1)


@pytest.fixture
def troubled(monkeypatch):
    """The purpose of commands whose carrier fails at whatever becomes of them."""

    class Troubled:
        def state_changed(self, command):
            raise ValueError("a mistake in a room above")

    monkeypatch.setitem(carriers._carriers, "troubled", Troubled())
    return "troubled"


def an_hour_passes():
    Agent.objects.update(lease_until=wire.now() - timedelta(hours=1))


def everybody_came(seconds_ago):
    Agent.objects.update(connected_at=wire.now() - timedelta(seconds=seconds_ago))


def running_on(agent, team, **more):
    command = request_command(team_id=team.pk, spec={"argv": ["a"], "timeout": 60}, agent=agent.name)
    agent.claim(command)
    Command.objects.filter(pk=command.pk).update(**more)
    return command


def states_of(*commands):
    for command in commands:
        command.refresh_from_db()
    return [command.status for command in commands]


def test_an_ended_lease_takes_the_agent_offline_and_its_commands_with_it(worker, team, long_up):
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, agent="worker")
    worker.claim(command)
    an_hour_passes()
    sweep()
    command.refresh_from_db()
    assert worker.row.status == "offline"
    assert (command.status, command.error) == ("lost", "The agent vanished.")


def test_a_lease_that_goes_on_is_left_alone(worker, long_up):
    events = StoredEvent.objects.count()
    sweep()
    assert worker.row.status == "online"
    assert StoredEvent.objects.count() == events


@pytest.mark.parametrize("seconds_ago", [None, 17], ids=["it was started", "it stood still"])
def test_after_the_server_was_not_there_agents_get_a_lease_to_come_back(worker, swept, seconds_ago):
    swept(seconds_ago)
    an_hour_passes()
    sweep()
    assert worker.row.status == "online"


def test_the_lease_to_come_back_is_a_whole_one(worker, swept, settings, monkeypatch):
    swept(seconds_ago=17)
    an_hour_passes()
    sweep()
    monkeypatch.setattr(sweeping, "_swept_at", wire.now())
    sweep()
    assert worker.row.status == "online"
    monkeypatch.setattr(sweeping, "_fair_from", sweeping._fair_from - settings.AGENT_LEASE_SECONDS)
    sweep()
    assert worker.row.status == "offline"


def test_only_a_sweep_that_was_committed_counts(worker, swept, django_capture_on_commit_callbacks):
    swept(seconds_ago=17)
    before = sweeping._swept_at
    with django_capture_on_commit_callbacks() as committed:
        sweep()
    assert sweeping._swept_at == before
    for note in committed:
        note()
    assert sweeping._swept_at > before


def test_what_became_overdue_while_the_server_was_not_there_may_still_be_reported(worker, team, swept):
    command = request_command(team_id=team.pk, spec={"argv": ["a"], "timeout": 60}, agent="worker")
    worker.claim(command)
    Command.objects.update(started_at=wire.now() - timedelta(seconds=100))
    swept(seconds_ago=17)
    sweep()
    worker.report(command, "succeeded", exit_code=0)
    command.refresh_from_db()
    assert command.status == "succeeded"


def test_a_vanished_agents_unclaimed_work_goes_to_another(worker, hire, team, long_up):
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, label="local")
    an_hour_passes()
    hire("second", labels=["local"])
    sweep()
    command.refresh_from_db()
    assert command.agent_name == "second"


def test_what_its_agent_does_not_end_at_its_timeout_fails(worker, team, long_up):
    everybody_came(seconds_ago=100)
    command = request_command(team_id=team.pk, spec={"argv": ["a"], "timeout": 60}, agent="worker")
    worker.claim(command)
    Command.objects.update(started_at=wire.now() - timedelta(seconds=80))
    sweep()
    command.refresh_from_db()
    assert command.status == "running"
    Command.objects.update(started_at=wire.now() - timedelta(seconds=100))
    sweep()
    command.refresh_from_db()
    assert (command.status, command.error) == ("failed", "Timed out, and its agent did not say so.")


def test_who_came_back_has_the_whole_grace_to_report_what_ended_meanwhile(worker, team, long_up):
    command = running_on(worker, team, started_at=wire.now() - timedelta(seconds=600))
    everybody_came(seconds_ago=600)
    note_disconnect(worker.actor)
    sweep()
    assert states_of(command) == ["running"]
    worker.connect(running=[str(command.pk)])
    sweep()
    assert states_of(command) == ["running"]
    everybody_came(seconds_ago=31)
    sweep()
    assert states_of(command) == ["failed"]


@pytest.mark.parametrize("says", ["status", "connect"])
def test_what_its_agent_says_has_ended_is_not_overdue(worker, team, long_up, says):
    """On a slow line the report comes long after the end, since it waits for the output."""
    command, other = running_on(worker, team), running_on(worker, team)
    ids = [str(command.pk), str(other.pk)]
    getattr(worker, says)(running=ids, ended=ids[:1])
    Command.objects.update(started_at=wire.now() - timedelta(seconds=600))
    everybody_came(seconds_ago=600)
    sweep()
    assert states_of(command, other) == ["running", "failed"]
    worker.status(running=ids)
    sweep()
    assert states_of(command) == ["failed"]


def test_what_waits_is_given_out(worker, team):
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, label="local")
    Command.objects.update(status="queued", agent=None)
    sweep()
    command.refresh_from_db()
    assert command.status == "sent"


def test_trouble_with_one_agent_ends_no_other_ones_lease_later(worker, hire, team, long_up, troubled):
    second = hire("second")
    bad, good = running_on(worker, team, purpose=troubled), running_on(second, team)
    an_hour_passes()
    sweep()
    assert states_of(bad, good) == ["running", "lost"]
    assert (worker.row.status, second.row.status) == ("online", "offline")


def test_trouble_with_one_command_keeps_no_other_one_running(worker, hire, team, long_up, troubled):
    at = wire.now() - timedelta(seconds=100)
    bad = running_on(worker, team, purpose=troubled, started_at=at)
    good = running_on(hire("second"), team, started_at=at)
    everybody_came(seconds_ago=100)
    sweep()
    assert states_of(bad, good) == ["running", "failed"]


def test_trouble_in_one_team_keeps_no_other_one_waiting(worker, team, troubled):
    """Whichever of them comes first."""
    theirs = Team.objects.create(name="Theirs")
    stranger = Worker(ApiKey.objects.create_key(name="theirs", team=theirs)[0], "stranger")
    stranger.connect(labels=["local"])
    for bad_team, good_team in ((team, theirs), (theirs, team)):
        Command.objects.all().delete()
        bad, good = (
            request_command(team_id=of.pk, spec={"argv": ["a"]}, label="local") for of in (bad_team, good_team)
        )
        Command.objects.update(status="queued", agent=None)
        Command.objects.filter(pk=bad.pk).update(purpose=troubled)
        sweep()
        assert states_of(bad, good) == ["queued", "sent"]
