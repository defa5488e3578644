"""Old history goes as declared, and nobody reads a half of it as whole."""

import subprocess
import sys
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from apps.accounts import tokens
from apps.accounts.models import AuditEntry, TokenFamily
from apps.events import log, retention, wire
from apps.events.declare import Retention
from apps.events.models import Head, StoredEvent
from apps.events.retention import Pruning, prune
from tests.events.story import LineWritten, StoryTopic
from tests.support.processes import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def long_story(topic):
    with transaction.atomic():
        log.append(topic, *[LineWritten(text=str(i)) for i in range(1, 11)])
    return topic


@pytest.fixture
def topics():
    """Ten of them, in order, with an event each."""
    topics = sorted((StoryTopic(key=uuid4().hex) for _ in range(10)), key=str)
    for topic in topics:
        with transaction.atomic():
            log.append(topic, LineWritten(text="once"))
    return topics


def kept(topic):
    return list(StoredEvent.objects.filter(topic=str(topic)).order_by("seq").values_list("seq", flat=True))


def age(topic, until):
    """Make the events up to this seq eight days old."""
    old = wire.now() - timedelta(days=8)
    StoredEvent.objects.filter(topic=str(topic), seq__lte=until).update(created_at=old)


def test_the_newest_events_stay(long_story):
    assert prune({"story": Retention(events=4)}) == 6
    assert kept(long_story) == [7, 8, 9, 10]
    assert Head.objects.get(topic=str(long_story)).floor == 6
    assert log.read_after(str(long_story), 5).reset
    assert not log.read_after(str(long_story), 6).reset


def test_old_events_go(long_story):
    age(long_story, until=3)
    assert prune({"story": Retention(days=7)}) == 3
    assert kept(long_story) == [4, 5, 6, 7, 8, 9, 10]


def test_the_stricter_of_two_limits_counts(long_story):
    age(long_story, until=3)
    assert prune({"story": Retention(days=7, events=9)}) == 3


def test_pruning_again_changes_nothing(long_story):
    prune({"story": Retention(events=4)})
    assert prune({"story": Retention(events=4)}) == 0
    assert prune({"story": Retention(events=8)}) == 0
    assert Head.objects.get(topic=str(long_story)).floor == 6


@pytest.mark.parametrize("retention", [Retention(events=2), Retention(days=7)])
def test_a_long_history_goes_in_portions_that_let_others_write(long_story, retention, monkeypatch):
    age(long_story, until=8)
    monkeypatch.setattr("apps.events.retention.EVENTS_AT_ONCE", 3)
    cuts, pruning = [], Pruning({"story": retention})
    while (cut := pruning.go_on()) is not None:
        cuts.append(cut)
        assert kept(long_story)[0] == Head.objects.get(topic=str(long_story)).floor + 1
    assert cuts == [3, 3, 2]
    assert kept(long_story) == [9, 10]


def test_many_topics_go_in_portions_and_in_one_way_through(topics, monkeypatch):
    monkeypatch.setattr(retention, "HEADS_AT_ONCE", 3)
    monkeypatch.setattr(retention, "TOPICS_AT_ONCE", 2)
    for topic in topics[2:6]:
        age(topic, until=1)
    with CaptureQueriesContext(connection) as asked:
        pruning, cuts = Pruning({"story": Retention(days=7)}), []
        while (cut := pruning.go_on()) is not None:
            cuts.append(cut)
    assert sum(cuts) == 4
    assert max(cuts) == 2
    assert [len(kept(topic)) for topic in topics] == [1] * 2 + [0] * 4 + [1] * 4
    looks = [query for query in asked if "oldest" in query["sql"]]
    assert len(looks) <= 10 / 3 + 4 / 2 + 2, "those that are done are not looked at again"


def test_the_sweep_goes_on_where_it_was_and_then_begins_anew(topics, monkeypatch):
    monkeypatch.setattr(retention, "HEADS_AT_ONCE", 4)
    monkeypatch.setattr(StoryTopic, "retention", Retention(days=7))
    for topic in (topics[0], topics[-1]):
        age(topic, until=1)
        assert [retention.prune_by_declaration() for _ in range(4)] == [True, True, True, False]
        assert kept(topic) == []


def test_who_prunes_and_is_overtaken_does_not_lower_the_floor_again(long_story, monkeypatch):
    week = {"story": Retention(days=7)}
    age(long_story, until=8)
    monkeypatch.setattr(retention, "EVENTS_AT_ONCE", 3)
    look = retention._floor

    def look_and_be_overtaken(*asked):
        found = look(*asked)
        monkeypatch.setattr(retention, "_floor", look)
        prune(week)
        return found

    monkeypatch.setattr(retention, "_floor", look_and_be_overtaken)
    assert prune(week) == 0
    assert Head.objects.get(topic=str(long_story)).floor == 8
    age(long_story, until=10)
    assert prune(week) == 2


@pytest.mark.parametrize("gone", [7, 10])
def test_a_floor_that_lies_too_low_is_put_right(long_story, gone):
    """Such topics were never pruned again, since what lies above their floor is gone."""
    StoredEvent.objects.filter(topic=str(long_story), seq__lte=gone).delete()
    Head.objects.filter(topic=str(long_story)).update(floor=2)
    age(long_story, until=8)
    assert prune({"story": Retention(days=7)}) == max(0, 8 - gone)
    assert Head.objects.get(topic=str(long_story)).floor == max(8, gone)


def test_everything_may_go_and_numbering_goes_on(long_story):
    prune({"story": Retention(events=0)})
    assert kept(long_story) == []
    with transaction.atomic():
        assert log.append(long_story, LineWritten(text="11")).seq == 11
    assert [e.seq for e in log.read_after(str(long_story), 10).events] == [11]


def test_a_kind_that_declares_nothing_keeps_everything(long_story):
    assert StoryTopic.retention == Retention()
    prune()
    assert len(kept(long_story)) == 10


def test_kinds_that_begin_alike_are_not_confused(long_story):
    """A topic `storybook.…` is none of `story`'s business."""
    Head.objects.create(topic=f"storybook.{uuid4().hex}", epoch="e", seq=10)
    assert prune({"story": Retention(events=4)}) == 6
    assert Head.objects.get(topic__startswith="storybook.").floor == 0


def test_the_command_takes_limits_for_one_kind(long_story, capsys):
    call_command("prune_events", "--kind", "story", "--events", "3")
    assert "7 events pruned" in capsys.readouterr().out
    assert len(kept(long_story)) == 3


def test_a_process_that_has_only_started_prunes_by_itself():
    asking = "import django; django.setup(); from apps.events.sweeper import _sweeps; print(*_sweeps)"
    told = subprocess.run([sys.executable, "-c", asking], cwd=ROOT, capture_output=True, text=True, check=True)
    swept = {"prune_by_declaration", "forget_old_audit", "forget_old_tokens", "forget_old_sessions"}
    assert {f"apps.events.retention.{name}" for name in swept} <= set(told.stdout.split())


def test_old_audit_entries_go_in_portions(settings, monkeypatch):
    settings.AUDIT_DAYS = 30
    monkeypatch.setattr(retention, "EVENTS_AT_ONCE", 2)
    for age in (1, 29, 31, 32, 400):
        at = wire.now() - timedelta(days=age)
        AuditEntry.objects.create(sender="user:1", name="mallory", action="refused", target=str(age), at=at)
    assert [retention.forget_old_audit() for _ in range(3)] == [True, True, False]
    assert set(AuditEntry.objects.values_list("target", flat=True)) == {"1", "29"}


def test_what_is_left_of_logins_goes_in_portions(alice, client, monkeypatch):
    monkeypatch.setattr(retention, "EVENTS_AT_ONCE", 2)
    for _ in range(3):
        tokens.issue(alice)
        Client().force_login(alice)
    OutstandingToken.objects.update(expires_at=wire.now() - timedelta(days=2))
    Session.objects.update(expire_date=wire.now() - timedelta(days=2))
    client.force_login(alice)
    assert [retention.forget_old_tokens() for _ in range(3)] == [True, True, False]
    assert [retention.forget_old_sessions() for _ in range(3)] == [True, True, False]
    assert not TokenFamily.objects.exists()
    assert client.get("/api/v1/teams/").status_code == 200


def test_a_new_epoch_can_be_started_for_one_topic_or_all(long_story, capsys):
    other = StoryTopic(key=uuid4().hex)
    with transaction.atomic():
        log.append(other, LineWritten(text="a"))
    before = log.cursor(long_story).epoch, log.cursor(other).epoch

    call_command("start_epoch", str(long_story))
    assert log.cursor(long_story).epoch != before[0]
    assert log.cursor(other).epoch == before[1]

    call_command("start_epoch")
    assert log.cursor(other).epoch != before[1]
    assert "topics have a new epoch" in capsys.readouterr().out
