"""What may be told, and who may read and tell it."""

import pytest

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.refusals import Invalid, NotFound
from apps.accounts.roles import Role
from apps.events.declare import Topic
from apps.notices.contract import Broadcast, SystemTopic, UserTopic


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "message: Field required"),
        ({"message": ""}, "message: .*blank"),
        ({"message": " \n\t"}, "message: .*blank"),
        ({"message": "a\0b"}, "message: .*NUL"),
        ({"message": "x" * 1001}, "message: .*1000"),
        ({"message": 7}, "message: .*string"),
        ({"message": "Hello", "level": "loud"}, "level: .*'info', 'success', 'warning' or 'error'"),
        ({"message": "Hello", "colour": "red"}, "colour: "),
        ([], "data: "),
        ("Hello", "data: "),
    ],
)
def test_it_refuses_what_nobody_can_read_and_says_why(data, reason):
    with pytest.raises(Invalid, match=reason):
        Broadcast.of(data)


@pytest.mark.parametrize("message", ["x" * 1000, "日本語 👩‍🚀", "<script>alert(1)</script>", "two\nlines"])
def test_it_takes_any_words(message):
    frame = Broadcast.of({"message": message})
    assert (frame.message, frame.level.value, frame.link) == (message, "info", None)


@pytest.mark.parametrize("link", ["/", "/tasks/?state=failed#top", "https://status.example/now", "HTTP://example.org"])
def test_a_link_leads_to_a_page_or_an_address(link):
    assert Broadcast.of({"message": "Hello", "link": link}).link == link


@pytest.mark.parametrize(
    "link",
    [
        "",
        "tasks/",
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "//example.org",
        "/\\example.org",
        "/\t/example.org",
        "https:example.org",
        "https:///example.org",
        "https://",
        "http://[::1",
        "/" + "x" * 500,
    ],
)
def test_a_link_leads_nowhere_else(link):
    with pytest.raises(Invalid, match="link: "):
        Broadcast.of({"message": "Hello", "link": link})


@pytest.mark.django_db
def test_everybody_who_is_logged_in_reads_what_concerns_everybody(alice, mallory, sam, agent_key):
    topic = Topic.parse("system")
    assert topic == SystemTopic()
    assert [topic.role_of(Actor(user=person)) for person in (alice, mallory)] == [Role.VIEWER] * 2
    assert [topic.role_of(actor) for actor in (Actor(user=sam), SYSTEM)] == [Role.OWNER] * 2
    assert not topic.can_read(Actor(key=agent_key))


@pytest.mark.django_db
def test_a_persons_topic_is_read_by_that_person_alone(alice, bob, sam, agent_key):
    topic = UserTopic(user_id=alice.pk)
    readers = [actor for actor in (*map(_as, (alice, bob, sam)), _key(agent_key), SYSTEM) if topic.can_read(actor)]
    assert readers == [_as(alice)]
    assert [topic.role_of(_as(person)) for person in (alice, bob, sam)] == [Role.VIEWER, None, Role.OWNER]
    assert UserTopic(user_id=10**12).role_of(_as(sam)) is None


@pytest.mark.parametrize("name", ["user.0", "user.-1", "user.03", "user.x", "user", f"user.{2**63}", "system.1"])
def test_no_other_name_is_a_topic(name):
    with pytest.raises(NotFound):
        Topic.parse(name)


def _as(person):
    return Actor(user=person)


def _key(key):
    return Actor(key=key)
