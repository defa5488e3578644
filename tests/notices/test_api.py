"""Notices over REST."""

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import AuditEntry
from apps.accounts.tokens import issue
from apps.notices.models import Notice
from tests.notices.conftest import told

pytestmark = pytest.mark.django_db

BROADCAST = "/api/v1/ws/broadcast"
HELLO = {"message": "Hello", "level": "success"}


def one(person):
    return f"/api/v1/ws/user/{person.pk}"


@pytest.mark.parametrize("slash", ["", "/"])
def test_staff_tells_everybody(rest, sam, slash):
    answer = rest(sam).post(BROADCAST + slash, HELLO, format="json")
    assert answer.status_code == 201
    assert answer.json() == {"topic": "system", "seq": 1, "data": told("system")[0][1]}
    assert answer.json()["data"].items() >= HELLO.items()


@pytest.mark.parametrize("slash", ["", "/"])
def test_staff_tells_one_person(rest, sam, alice, slash):
    answer = rest(sam).post(one(alice) + slash, HELLO, format="json")
    assert (answer.status_code, answer.json()["topic"]) == (201, f"user.{alice.pk}")
    assert [type for type, _ in told(f"user.{alice.pk}")] == ["notification"]


def test_a_token_is_as_good_as_a_session_and_a_form_as_json(sam):
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {issue(sam).access}")
    assert client.post(BROADCAST, HELLO, format="json").status_code == 201
    assert client.post(BROADCAST, HELLO, format="multipart").status_code == 201
    assert [data["message"] for _, data in told("system")] == ["Hello", "Hello"]


def test_a_session_needs_the_token_against_forgery(sam):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(sam)
    assert client.post(BROADCAST, HELLO, format="json").status_code == 403
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, {"message": ""}, {"message": "x" * 1001}, {"message": "a", "level": "loud"}, [], ["a"], "a", None]
)
def test_bad_input_is_named_in_a_sentence(rest, sam, alice, body):
    for url in (BROADCAST, one(alice)):
        answer = rest(sam).post(url, body, format="json")
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert error["code"] == "invalid"
        assert error["message"].endswith(".")
    assert not Notice.objects.exists()


@pytest.mark.parametrize("body", ["{", "NaN", '{"message":"\\ud800"}'])
def test_what_is_no_json_is_bad_input(rest, sam, body):
    answer = rest(sam).post(BROADCAST, body, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


@pytest.mark.parametrize("user_id", ["999999", "0", "-1", "alice", str(2**63), "9" * 70])
def test_there_is_no_such_user(rest, sam, user_id):
    answer = rest(sam).post(f"/api/v1/ws/user/{user_id}", HELLO, format="json")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert answer.json()["error"]["message"].startswith(f"There is no user {user_id[:60]}")


def test_only_staff_sends_and_the_refusal_is_on_record(rest, alice, bob, mallory):
    for person in (alice, bob, mallory):
        for url in (BROADCAST, one(alice), one(person), "/api/v1/ws/user/999999"):
            answer = rest(person).post(url, HELLO, format="json")
            assert answer.status_code == 403
            assert answer.json()["error"] == {"code": "forbidden", "message": "Only staff may send notices."}
    assert not Notice.objects.exists()
    assert AuditEntry.objects.filter(name="mallory", action="refused POST", target=BROADCAST).count() == 1


def test_an_agents_key_sends_nothing(agent_key):
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {agent_key.secret}")
    assert client.post(BROADCAST, HELLO, format="json").status_code == 403


def test_without_credentials_one_is_asked_to_log_in(alice):
    for url in (BROADCAST, one(alice)):
        assert APIClient().post(url, HELLO, format="json").status_code == 401
    assert APIClient().get("/api/v1/notifications/").status_code == 401


def test_an_idempotency_key_makes_a_repeated_post_one_notice(rest, sam, alice):
    for url in (BROADCAST, one(alice)):
        answers = [rest(sam).post(url, HELLO, format="json", headers={"Idempotency-Key": "k1"}) for _ in range(2)]
        assert answers[0].json() == answers[1].json()
    assert Notice.objects.count() == 2


def test_a_key_that_is_too_long_is_bad_input(rest, sam):
    answer = rest(sam).post(BROADCAST, HELLO, format="json", headers={"Idempotency-Key": "k" * 91})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_frame")


def test_it_is_sent_and_not_read_at_these_addresses(rest, sam):
    assert rest(sam).get(BROADCAST).status_code == 405


def test_each_reads_their_own_notifications(rest, sam, alice, bob):
    rest(sam).post(BROADCAST, HELLO, format="json")
    rest(sam).post(one(alice), {"message": "For you", "link": "/tasks/"}, format="json")
    hers = rest(alice).get("/api/v1/notifications/").json()["results"]
    assert [(n["message"], n["level"], n["link"], n["personal"]) for n in hers] == [
        ("For you", "info", "/tasks/", True),
        ("Hello", "success", None, False),
    ]
    assert [n["message"] for n in rest(bob).get("/api/v1/notifications/").json()["results"]] == ["Hello"]
