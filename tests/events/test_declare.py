"""Declarations: what they mean on the wire, and which are refused."""

from typing import Annotated
from uuid import UUID, uuid4

import pytest
from pydantic import AfterValidator

from apps.accounts.actors import SYSTEM
from apps.accounts.refusals import Invalid, NotFound
from apps.accounts.roles import Role
from apps.events import declare
from apps.events.declare import CommandFrame, DeclarationError, Event, Retention, Topic, Whisper
from tests.events.story import LineWritten, MovePen, PrintLine, StoryTopic, WriteLine


@pytest.fixture(autouse=True)
def _scratch_registries(_story_is_known, monkeypatch):
    """What a test declares is forgotten afterwards."""
    for name in ("topics", "events", "whispers", "frames"):
        monkeypatch.setattr(declare, name, dict(getattr(declare, name)))


def test_a_topic_is_its_pattern_filled_in_and_back():
    class RoomTopic(Topic, pattern="room.{room_id}", retention=Retention(days=3)):
        room_id: UUID

        def role_of(self, actor):
            return None

    id = uuid4()
    topic = Topic.parse(f"room.{id}")

    assert topic == RoomTopic(room_id=id)
    assert str(topic) == f"room.{id}"
    assert (RoomTopic.kind, RoomTopic.retention.days) == ("room", 3)


def test_a_topic_that_does_not_say_who_may_what_cannot_be_made():
    class SilentTopic(Topic, pattern="silent"):
        pass

    with pytest.raises(TypeError, match="role_of"):
        SilentTopic()


def test_a_topic_without_a_key_has_one_story():
    class WorldTopic(Topic, pattern="world"):
        def role_of(self, actor):
            return None

    assert str(Topic.parse("world")) == "world"
    with pytest.raises(NotFound):
        Topic.parse("world.1")


@pytest.mark.parametrize(
    "name",
    [None, 7, "", ".", "story", "story.", "story.a.b", "story.a b", "STORY.a", "nowhere.a", "story.a\n", "story.\0",
     "story." + "x" * 65, ["story.a"], {"story": "a"}, "story.é", "system\u0000"],
)  # fmt: skip
def test_a_name_that_means_nothing_is_not_found(name):
    with pytest.raises(NotFound):
        Topic.parse(name)


def test_one_story_has_one_name():
    class RoomTopic(Topic, pattern="room.{room_id}"):
        room_id: UUID

    id = uuid4()
    for other_name in (f"room.{str(id).upper()}", f"room.{id.hex}"):
        with pytest.raises(NotFound):
            Topic.parse(other_name)


def test_two_things_of_one_name_are_refused():
    with pytest.raises(DeclarationError, match="both called 'story_line'"):

        class SomethingElse(Event, type="story_line", topic=StoryTopic):
            pass

    with pytest.raises(DeclarationError, match="both called 'story'"):

        class AnotherTopic(Topic, pattern="story.{other}"):
            other: str


@pytest.mark.parametrize("name", ["", "Message", "a b", "a:b:c", "a:", ":a", "a-b", "a\n", 'a"'])
def test_a_type_that_is_no_type_is_refused(name):
    with pytest.raises(DeclarationError):

        class Odd(Event, type=name, topic=StoryTopic):
            pass

    with pytest.raises(DeclarationError):

        class OddFrame(CommandFrame, type=name, topic=StoryTopic):
            pass

    with pytest.raises(DeclarationError):

        class OddWhisper(Whisper, type=name, topic=StoryTopic):
            pass


@pytest.mark.parametrize("rate", ["often", "10", "10/d", "/s", "0/s", "-1/s"])
def test_a_rate_that_is_no_rate_is_refused(rate):
    with pytest.raises(DeclarationError):

        class Hasty(CommandFrame, type="hasty", topic=StoryTopic, rate=rate):
            pass


@pytest.mark.parametrize(
    "pattern", ["", "{key}", "Room.{key}", "room.{a}.{b}", "room.{unknown}", "room-{key}", "room.key.{key}"]
)
def test_a_pattern_that_no_name_can_match_is_refused(pattern):
    with pytest.raises(DeclarationError):

        class OddTopic(Topic, pattern=pattern):
            key: str


def test_a_rate_is_frames_per_second():
    assert MovePen.RATE == 2.0
    assert WriteLine.RATE is None

    class Seldom(CommandFrame, type="seldom", topic=StoryTopic, rate="30/m"):
        pass

    assert Seldom.RATE == 0.5


def test_ordinary_frames_are_audited_and_grouped_ones_are_not():
    assert (WriteLine.AUDIT, PrintLine.AUDIT) == (True, False)
    assert WriteLine.ROLE == Role.OPERATOR


def test_an_undeclared_field_is_a_bug_at_construction():
    with pytest.raises(ValueError, match="Extra inputs"):
        LineWritten(text="a", txet="b")
    with pytest.raises(ValueError, match="frozen"):
        LineWritten(text="a").text = "b"


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (None, "text"),
        ({}, "text"),
        ({"text": 7}, "text"),
        ({"text": "a", "more": 1}, "more"),
        ([], "data"),
        ("a", "data"),
    ],
)
def test_a_wrong_field_is_named(data, place):
    with pytest.raises(Invalid) as refused:
        WriteLine.of(data)
    assert refused.value.message.startswith(f"{place}: ")


def test_a_rule_of_ours_is_said_in_our_words():
    class NameShip(CommandFrame, type="name_ship", topic=StoryTopic):
        name: Annotated[str, AfterValidator(_not_titanic)]

    with pytest.raises(Invalid) as refused:
        NameShip.of({"name": "Titanic"})
    assert refused.value.message == "name: must not sink."


def _not_titanic(name):
    if name == "Titanic":
        raise ValueError("must not sink")
    return name


def test_a_stranger_cannot_read():
    assert StoryTopic(key="a").can_read(SYSTEM)
    assert not StoryTopic(key="secret").can_read(SYSTEM)
