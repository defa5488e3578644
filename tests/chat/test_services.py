"""What happens in a chat session, by frames."""

import pytest

from apps.accounts.actors import Actor
from apps.accounts.models import Membership
from apps.accounts.refusals import Forbidden, Invalid, NotFound
from apps.chat.models import Message
from apps.chat.selectors import messages_of, people_in
from apps.chat.services import open_session
from apps.events import log, wire
from apps.events.models import StoredEvent

pytestmark = pytest.mark.django_db


def events_of(room):
    return [(type, payload) for _, type, payload in numbered(room)]


def numbered(room):
    return [(event.seq, event.type, event.payload) for event in log.read_after(f"chat.{room.pk}", 0).events]


def test_a_message_is_kept_and_told(alice, room, say):
    ack = say(alice, "message", room, content="Hello")

    message = Message.objects.get()
    assert (message.author, message.author_name, message.content) == (alice, "alice", "Hello")
    said = {"message_id": str(message.pk), "content": "Hello", "author": {"id": alice.pk, "name": "alice"}}
    assert events_of(room)[-1] == ("message", said)
    assert ack == {"topic": f"chat.{room.pk}", "seq": 2, "data": said}


def test_the_same_frame_twice_is_one_message(alice, room, say):
    first = say(alice, "message", room, id="a", content="Hello")
    again = say(alice, "message", room, id="a", content="Hello")
    assert first == again
    assert Message.objects.count() == 1


def test_the_same_id_of_another_person_is_another_message(alice, bob, room, say):
    say(alice, "message", room, id="a", content="Hello")
    say(bob, "message", room, id="a", content="Hello")
    assert Message.objects.count() == 2


def test_what_is_said_in_the_same_moment_keeps_its_order(alice, bob, room, say):
    said = [str(number) for number in range(9)]
    for number in said:
        say((alice, bob)[int(number) % 2], "message", room, content=number)
    Message.objects.update(created_at=wire.now())
    assert [message.content for message in room.messages.all()] == said
    assert [message.content for message in messages_of(room)] == said
    assert [message.content for message in messages_of(room, newest=3)] == said[-3:]
    places = {payload["message_id"]: seq for seq, type, payload in numbered(room) if type == "message"}
    assert {str(message.pk): message.seq for message in room.messages.all()} == places


@pytest.mark.parametrize(
    ("content", "reason"),
    [("", "blank"), (" \n\t ", "blank"), ("a\0b", "NUL"), ("ü" * 8193, "16384 bytes"), (7, "string"), (None, "string")],
)
def test_it_refuses_what_nobody_can_read(alice, room, say, content, reason):
    with pytest.raises(Invalid, match=reason):
        say(alice, "message", room, content=content)
    assert not Message.objects.exists()


def test_it_takes_any_language_and_any_length_up_to_the_limit(alice, room, say):
    for content in ("ü" * 8192, "<script>alert(1)</script>", "日本語 👩‍🚀", "  indented\n"):
        assert say(alice, "message", room, content=content)["data"]["content"] == content


def test_it_refuses_a_stranger_as_if_there_were_no_room(mallory, room, say):
    with pytest.raises(NotFound) as refused:
        say(mallory, "message", room, content="Hello")
    type(room).objects.all().delete()
    with pytest.raises(NotFound) as nothing:
        say(mallory, "message", room, content="Hello")
    assert refused.value.message == nothing.value.message


def test_a_viewer_reads_and_does_not_write(alice, victor, room, say):
    say(alice, "member:add", room, user_id=victor.pk)
    with pytest.raises(Forbidden):
        say(victor, "message", room, content="Hello")


def test_a_member_of_the_team_is_a_stranger_until_added(alice, bob, victor, team, say):
    room = open_session(Actor(user=alice), team=team, title="Private")
    with pytest.raises(NotFound):
        say(bob, "message", room, content="Hello")
    say(alice, "member:add", room, user_id=bob.pk)
    say(bob, "message", room, content="Hello")


def test_whoever_leaves_the_team_is_out_of_its_rooms(bob, room, say):
    Membership.objects.filter(user=bob).delete()
    with pytest.raises(NotFound):
        say(bob, "message", room, content="Hello")


def test_adding_somebody_tells_the_room_once(alice, bob, victor, room, say):
    say(alice, "member:add", room, user_id=victor.pk)
    assert say(alice, "member:add", room, user_id=victor.pk) == {}
    assert people_in(room) == [alice, bob, victor]
    told = [payload["member"]["name"] for type, payload in events_of(room) if type == "member_added"]
    assert told == ["bob", "victor"]


def test_nobody_from_another_team_can_be_added(alice, mallory, room, say):
    for user_id in (mallory.pk, 10**12):
        with pytest.raises(NotFound):
            say(alice, "member:add", room, user_id=user_id)


def test_one_can_leave_and_then_hears_nothing_more(bob, room, say):
    say(bob, "member:remove", room, user_id=bob.pk)
    assert events_of(room)[-1] == ("member_removed", {"member": {"id": bob.pk, "name": "bob"}, "by": "bob"})
    with pytest.raises(NotFound):
        say(bob, "message", room, content="Hello")


def test_typing_is_never_stored(alice, room, say):
    before = StoredEvent.objects.count()
    assert say(alice, "typing", room, active=True) == {}
    assert StoredEvent.objects.count() == before


def test_a_viewer_opens_no_room_and_a_stranger_neither(victor, mallory, team):
    for person in (victor, mallory):
        with pytest.raises(Forbidden):
            open_session(Actor(user=person), team=team, title="Mine")
