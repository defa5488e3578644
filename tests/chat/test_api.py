"""Chat over REST."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.chat.models import ChatSession, Message

pytestmark = pytest.mark.django_db

URL = "/api/v1/chat/sessions/"


@pytest.fixture
def rest():
    """`rest(alice)`: REST as alice."""

    def rest(person):
        client = APIClient()
        client.force_login(person)
        return client

    return rest


def test_a_session_is_opened_in_ones_first_team(rest, alice, team):
    answer = rest(alice).post(URL, {"title": "Release"}, format="json")
    session = ChatSession.objects.get()
    assert answer.status_code == 201
    assert answer.json()["id"] == str(session.pk)
    assert answer.json()["topic"] == f"chat.{session.pk}"
    assert (session.team, session.title) == (team, "Release")


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": "x" * 201}, {"title": "a", "team": "no uuid"}, []])
def test_a_session_needs_a_title(rest, alice, body):
    answer = rest(alice).post(URL, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"
    assert not ChatSession.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL takes what anybody writes")
def test_a_session_is_opened_by_the_one_who_writes(rest, alice, team):
    hers = rest(alice)
    with CaptureQueriesContext(connection) as asked_here:
        assert hers.post(URL, {"title": "Release"}, format="json").status_code == 201
    assert {query["sql"].split()[0] for query in asked_here} == {"SELECT"}


def test_a_session_cannot_be_opened_in_a_foreign_team(rest, mallory, team):
    answer = rest(mallory).post(URL, {"title": "Release", "team": str(team.pk)}, format="json")
    assert answer.status_code == 404


def test_each_sees_their_own_sessions(rest, alice, bob, victor, mallory, room):
    titles = {person.username: [s["title"] for s in rest(person).get(URL).json()["results"]] for person in (alice, bob)}
    assert titles == {"alice": ["Release"], "bob": ["Release"]}
    for stranger in (victor, mallory):
        assert rest(stranger).get(URL).json()["results"] == []
        assert rest(stranger).get(f"{URL}{room.pk}/").status_code == 404
        assert rest(stranger).get(f"{URL}{room.pk}/messages/").status_code == 404
        assert rest(stranger).get(f"{URL}{room.pk}/members/").status_code == 404
        assert rest(stranger).post(f"{URL}{room.pk}/messages/", {"content": "x"}, format="json").status_code == 404


def test_an_agents_key_reads_no_session_not_even_one_that_everybody_has_left(client, room, agent_key):
    key = {"Authorization": f"Bearer {agent_key.secret}"}
    for has_left in (False, True):
        if has_left:
            room.memberships.all().delete()
        assert client.get(URL, headers=key).json()["results"] == []
        assert client.get(f"{URL}{room.pk}/messages/", headers=key).status_code == 404


def test_a_message_is_posted_and_read(rest, alice, bob, room):
    answer = rest(alice).post(f"{URL}{room.pk}/messages/", {"content": "Hello"}, format="json")
    assert (answer.status_code, answer.json()["data"]["content"]) == (201, "Hello")
    [message] = rest(bob).get(f"{URL}{room.pk}/messages/").json()["results"]
    assert (message["content"], message["author"]) == ("Hello", {"id": alice.pk, "name": "alice"})


def test_a_message_may_come_from_a_form(rest, alice, room):
    assert rest(alice).post(f"{URL}{room.pk}/messages/", {"content": "Hello"}).status_code == 201
    assert Message.objects.get().content == "Hello"


def test_an_idempotency_key_makes_a_repeated_post_one_message(rest, alice, room):
    for _ in range(2):
        rest(alice).post(
            f"{URL}{room.pk}/messages/", {"content": "Hello"}, format="json", headers={"Idempotency-Key": "k1"}
        )
    assert Message.objects.count() == 1


def test_members_are_added_listed_and_removed(rest, alice, bob, victor, room):
    client = rest(alice)
    assert client.post(f"{URL}{room.pk}/members/", {"user_id": victor.pk}, format="json").status_code == 201
    assert [p["name"] for p in client.get(f"{URL}{room.pk}/members/").json()] == ["alice", "bob", "victor"]
    assert client.delete(f"{URL}{room.pk}/members/{bob.pk}/").status_code == 200
    assert client.delete(f"{URL}{room.pk}/members/{bob.pk}/").status_code == 404


def test_without_credentials_one_is_asked_to_log_in(rest, room):
    assert APIClient().get(URL).status_code == 401
