"""The gateway's pages for programs: frames over HTTP, stats, connections, health, metrics; and who may."""

from types import SimpleNamespace

import pytest
from django.test import Client as Browser
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts import tokens
from apps.accounts.models import ApiKey, User
from apps.events import log
from apps.events.models import StoredEvent
from apps.gateway.models import Connection, ServerProcess
from tests.events.story import carried_out

FRAMES = "/api/v1/frames/"
STATS = "/api/v1/ws/stats"
CONNECTIONS = "/api/ws/connections"


@pytest.fixture
def api():
    """`api(alice).get(…)`: REST as a person, as an agent with its key, or as nobody."""

    def speak(who=None):
        client = APIClient(raise_request_exception=False)
        if who is not None:
            token = who.secret if isinstance(who, ApiKey) else tokens.issue(who).access
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return speak


@pytest.fixture
def carol(db):
    """She runs the installation."""
    return User.objects.create_user("carol", password="a long walk on the platform", is_staff=True)


def write(topic, text="a", id="1", type="story:write"):
    return {"type": type, "id": id, "topic": str(topic), "data": {"text": text}}


def post(client, body):
    return client.post(FRAMES, body, format="json")


def texts(topic):
    return [event.payload["text"] for event in StoredEvent.objects.filter(topic=str(topic)).order_by("seq")]


# Frames


def test_a_frame_is_answered_with_its_ack(api, alice, topic):
    response = post(api(alice), write(topic))
    assert response.status_code == 200
    assert response.json() == {
        "type": "ack",
        "id": "1",
        "data": {"topic": str(topic), "seq": 1, "data": {"text": "a"}},
    }


def test_a_list_is_answered_in_order_with_a_refusal_in_its_place(api, alice, topic):
    frames = [
        write(topic, "a", "1"),
        write(topic, "refuse", "2"),
        write("story.secret", "b", "3"),
        7,
        write(topic, "c", 4),
        write(topic, "refuse", 5),
        write(topic, "d", {"a": [1]}),
    ]
    response = post(api(alice), frames)
    assert response.status_code == 200
    told = [(answer["type"], answer["id"], answer["data"].get("code")) for answer in response.json()]
    assert told == [
        ("ack", "1", None),
        ("error", "2", "conflict"),
        ("error", "3", "not_found"),
        ("error", None, "bad_frame"),
        ("ack", 4, None),
        ("error", 5, "conflict"),
        ("error", None, "bad_frame"),
    ]
    assert texts(topic) == ["a", "c"]


def test_a_hundred_frames_at_once_are_carried_out_and_one_more_is_refused_whole(api, alice, topic):
    frames = [write(topic, str(n), str(n)) for n in range(101)]
    response = post(api(alice), frames)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid")
    assert carried_out == []
    answers = post(api(alice), frames[:100]).json()
    assert [answer["data"]["seq"] for answer in answers] == list(range(1, 101))


def test_an_empty_list_has_no_answers(api, alice):
    assert post(api(alice), []).json() == []


def test_the_same_id_happens_once_and_is_answered_every_time(api, alice, topic):
    first = post(api(alice), write(topic, "a", "1")).json()
    again = post(api(alice), write(topic, "a", "1")).json()
    in_a_list = post(api(alice), [write(topic, "a", "1"), write(topic, "b", "2"), write(topic, "b", "2")]).json()
    assert first == again == in_a_list[0]
    assert in_a_list[1] == in_a_list[2]
    assert texts(topic) == ["a", "b"]


def test_two_people_may_use_one_id(api, alice, bob, topic):
    assert post(api(alice), write(topic, "a")).json()["data"]["seq"] == 1
    assert post(api(bob), write(topic, "b")).json()["data"]["seq"] == 2


def test_a_refused_frame_has_the_status_of_its_refusal(api, alice, agent_key):
    told = {
        "story.secret1": (404, "not_found"),
        "story.quiet1": (403, "forbidden"),
        "tale.a": (400, "invalid"),
        "nowhere.a": (404, "not_found"),
    }
    for topic, expected in told.items():
        response = post(api(alice), write(topic))
        assert (response.status_code, response.json()["error"]["code"]) == expected
    assert post(api(agent_key), write("story.a")).status_code == 403


def test_a_frame_is_as_large_as_on_the_socket_at_most(api, alice, topic, settings):
    settings.LIMITS = settings.LIMITS | {"frame_bytes": 1000}
    assert post(api(alice), write(topic, "é" * 400)).status_code == 200
    answer = post(api(alice), write(topic, "é" * 500, id="2"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    answers = post(api(alice), [write(topic, "é" * 500, id="3"), write(topic, "short", id="4")]).json()
    assert [one["type"] for one in answers] == ["error", "ack"]


def test_what_is_no_frame_is_refused_in_words(api, alice):
    for body in ("7", '"story:write"', "null", "{}", "{", "", "\xff", "[" * 20_000):
        response = api(alice).post(FRAMES, body.encode("latin-1"), content_type="application/json")
        assert response.status_code == 400, body[:20]
        assert response.json()["error"]["message"]


def test_a_frame_that_fails_takes_no_other_with_it(api, alice, topic):
    answers = post(api(alice), [write(topic, "a", "1"), write(topic, "crash", "2"), write(topic, "c", "3")]).json()
    assert [answer["type"] for answer in answers] == ["ack", "error", "ack"]
    assert answers[1]["data"]["code"] == "unavailable"
    assert texts(topic) == ["a", "c"]
    response = post(api(alice), write(topic, "crash", "4"))
    assert (response.status_code, response.json()["error"]["code"]) == (503, "unavailable")


def test_nobody_says_nothing(api, topic):
    assert post(api(), write(topic)).status_code == 401
    assert carried_out == []


def test_a_browser_has_to_prove_that_the_page_is_ours(alice, topic):
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(alice)
    response = browser.post(FRAMES, write(topic), content_type="application/json")
    assert response.status_code == 403
    assert carried_out == []


# Stats and connections


def test_stats_are_for_who_is_known(api, alice, agent_key):
    assert api().get(STATS).status_code == 401
    assert api(agent_key).get(STATS).status_code == 200
    stats = api(alice).get(STATS).json()["stats"]
    assert {"total_connections", "current_connections", "messages_sent", "messages_received", "topics"} <= set(stats)
    assert all(isinstance(value, int | float) and value >= 0 for value in stats.values())


def test_stats_count_reads_of_the_log(api, alice, topic):
    post(api(alice), write(topic))
    before = api(alice).get(STATS).json()["stats"]["event_reads"]
    log.read_after(str(topic), 0)
    assert api(alice).get(STATS).json()["stats"]["event_reads"] == before + 1


def test_staff_sees_the_live_connections_of_all_processes(api, alice, bob, carol):
    for number, owner in enumerate([alice, bob]):
        process = ServerProcess.objects.create(id=str(number), host=f"web{number}", pid=7, seen_at=timezone.now())
        Connection.objects.create(
            id=f"c{number}",
            process=process,
            sender=f"user:{owner.pk}",
            name=owner.username,
            user=owner,
            address="10.0.0.9",
        )
    told = api(carol).get(CONNECTIONS).json()
    assert told["total"] == 2
    assert {(row["name"], row["process"]) for row in told["connections"]} == {("alice", "web0 7"), ("bob", "web1 7")}


def test_connections_are_for_staff_only(api, alice, agent_key):
    assert api().get(CONNECTIONS).status_code == 401
    assert api(alice).get(CONNECTIONS).status_code == 403
    assert api(agent_key).get(CONNECTIONS).status_code in (401, 403)


# Health and metrics


def test_liveness_asks_for_nothing(client):
    assert client.get("/health").json() == {"status": "ok"}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/health", "/api/ws/health"])
def test_readiness_looks_at_the_parts(client, path):
    response = client.get(path)
    told = response.json()
    assert (response.status_code, told["status"]) == (200, "ok")
    assert (told["checks"]["database"], told["checks"]["channel_layer"]) == ("ok", "ok")


@pytest.mark.django_db
@pytest.mark.parametrize("ear", [{"is_open": True, "is_failing": True}, {"is_open": False, "is_failing": False}])
def test_readiness_fails_with_the_channel_layer(client, monkeypatch, ear):
    monkeypatch.setattr(log, "_ears", [SimpleNamespace(**ear)])
    response = client.get("/api/health")
    assert (response.status_code, response.json()["checks"]["channel_layer"]) == (503, "failed")
    assert client.get("/health").status_code == 200, "it is alive all the same"


def test_metrics_are_for_staff(client, alice, carol):
    assert client.get("/metrics").status_code == 404
    client.force_login(alice)
    assert client.get("/metrics").status_code == 404
    client.force_login(carol)
    response = client.get("/metrics")
    assert response.status_code == 200
    assert b"signalbox_frames_received_total" in response.content


def test_metrics_are_for_staff_with_a_token_of_their_own_too(api, alice, agent_key, carol):
    assert api(carol).get("/metrics").status_code == 200
    assert api(alice).get("/metrics").status_code == api(agent_key).get("/metrics").status_code == 404


@pytest.mark.django_db
def test_metrics_are_for_who_has_the_token(client, settings):
    def ask(token):
        return client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code

    assert (ask(""), ask("x")) == (404, 404), "without a token of ours none opens"
    settings.METRICS_TOKEN = "a token for the collector"
    assert (ask(""), ask("x"), ask("ü"), ask("a token for the collector")) == (404, 404, 404, 200)
