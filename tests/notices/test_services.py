"""What is told, by frames."""

import pytest

from apps.accounts.actors import Actor
from apps.accounts.models import AuditEntry
from apps.accounts.refusals import Forbidden, Invalid, NotFound
from apps.notices.models import Notice
from apps.notices.selectors import notices_for
from tests.notices.conftest import told

pytestmark = pytest.mark.django_db


def test_a_broadcast_is_kept_and_told_to_everybody(sam, say):
    ack = say(sam, "notice:broadcast", "system", message="Back at ten", level="warning", link="/tasks/")

    notice = Notice.objects.get()
    assert (notice.sent_by, notice.sender_name, notice.recipient, notice.audience) == (sam, "sam", None, "everybody")
    said = {"notice_id": str(notice.pk), "message": "Back at ten", "level": "warning", "link": "/tasks/"}
    assert told("system") == [("system", said)]
    assert ack == {"topic": "system", "seq": 1, "data": said}


def test_a_notification_is_told_to_its_person_and_nobody_else(sam, alice, bob, say):
    say(sam, "notice:send", f"user.{alice.pk}", message="Your key ends tomorrow")

    notice = Notice.objects.get()
    assert (notice.recipient, notice.audience, notice.level, notice.link) == (alice, "alice", "info", "")
    said = {"notice_id": str(notice.pk), "message": "Your key ends tomorrow", "level": "info", "link": None}
    assert told(f"user.{alice.pk}") == [("notification", said)]
    assert told(f"user.{bob.pk}") == told("system") == []


def test_the_same_frame_twice_is_one_notice(sam, say):
    first = say(sam, "notice:broadcast", "system", id="a", message="Hello")
    again = say(sam, "notice:broadcast", "system", id="a", message="Hello")
    assert first == again
    assert Notice.objects.count() == 1


def test_only_staff_tells_everybody(alice, mallory, say):
    for person in (alice, mallory):
        with pytest.raises(Forbidden):
            say(person, "notice:broadcast", "system", message="Hello")
    assert told("system") == []


def test_only_staff_tells_a_person_and_others_learn_not_who_there_is(alice, mallory, say):
    with pytest.raises(Forbidden):
        say(mallory, "notice:send", f"user.{mallory.pk}", message="Hello")
    for user_id in (alice.pk, 10**12):
        with pytest.raises(NotFound):
            say(mallory, "notice:send", f"user.{user_id}", message="Hello")
    assert not Notice.objects.exists()


def test_nobody_cannot_be_told(sam, say):
    with pytest.raises(NotFound):
        say(sam, "notice:send", f"user.{10**12}", message="Hello")


def test_each_frame_belongs_on_its_own_kind_of_topic(sam, alice, say):
    with pytest.raises(Invalid):
        say(sam, "notice:broadcast", f"user.{alice.pk}", message="Hello")
    with pytest.raises(Invalid):
        say(sam, "notice:send", "system", message="Hello")


def test_what_was_sent_and_refused_is_on_record(sam, mallory, alice, say):
    say(sam, "notice:broadcast", "system", message="Hello")
    say(sam, "notice:send", f"user.{alice.pk}", message="Hello")
    with pytest.raises(Forbidden):
        say(mallory, "notice:broadcast", "system", message="Hello")
    entries = AuditEntry.objects.order_by("id").values_list("name", "action", "target")
    assert list(entries) == [
        ("sam", "notice:broadcast", "system"),
        ("sam", "notice:send", f"user.{alice.pk}"),
        ("mallory", "refused notice:broadcast", "system"),
    ]


def test_each_finds_what_they_were_told(sam, alice, bob, agent_key, say):
    say(sam, "notice:broadcast", "system", message="for all")
    say(sam, "notice:send", f"user.{alice.pk}", message="for alice")
    found = {person: [n.message for n in notices_for(Actor(user=person))] for person in (alice, bob, sam)}
    assert found == {alice: ["for alice", "for all"], bob: ["for all"], sam: ["for all"]}
    assert not notices_for(Actor(key=agent_key)).exists()


def test_what_a_person_was_told_stays_theirs_when_they_are_gone(sam, alice, bob, say):
    say(sam, "notice:send", f"user.{alice.pk}", message="for alice")
    alice.delete()
    assert Notice.objects.get().audience == "alice"
    assert not notices_for(Actor(user=bob)).exists()
