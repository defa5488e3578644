"""What has to be looked at again and again."""

from datetime import timedelta

import pytest

from apps.agents.models import Agent, Command
from apps.agents.services import request_command, sweep, sweeping
from apps.events import wire
from apps.events.models import StoredEvent


@pytest.fixture
def long_up(monkeypatch):
    """This process has been up for longer than a lease."""
    monkeypatch.setattr(sweeping, "_started", sweeping._started - 3600)


def an_hour_passes():
    Agent.objects.update(lease_until=wire.now() - timedelta(hours=1))


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


def test_after_a_restart_of_the_server_agents_get_time_to_come_back(worker, monkeypatch):
    monkeypatch.setattr(sweeping, "_started", sweeping.time.monotonic())
    an_hour_passes()
    sweep()
    assert worker.row.status == "online"


def test_a_vanished_agents_unclaimed_work_goes_to_another(worker, hire, team, long_up):
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, label="local")
    an_hour_passes()
    hire("second", labels=["local"])
    sweep()
    command.refresh_from_db()
    assert command.agent_name == "second"


def test_what_its_agent_does_not_end_at_its_timeout_fails(worker, team, long_up):
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


def test_what_waits_is_given_out(worker, team):
    command = request_command(team_id=team.pk, spec={"argv": ["a"]}, label="local")
    Command.objects.update(status="queued", agent=None)
    sweep()
    command.refresh_from_db()
    assert command.status == "sent"
