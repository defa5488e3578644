from uuid import uuid4

import pytest
from django.test import Client

from apps.accounts.models import Membership, Team
from apps.accounts.roles import Role
from apps.tasks.models import Task
from tests.tasks.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_(client):
    """`as_(bob)`: a browser in which bob is logged in."""

    def log_in(person):
        browser = Client()
        browser.force_login(person)
        return browser

    return log_in


def submit(browser, **data):
    return browser.post("/api/v1/tasks/", {"query": "uptime"} | data, content_type="application/json")


def test_a_task_is_submitted_and_looked_at(as_, bob, victor, team, agent_key):
    worker = Worker(agent_key)
    answer = submit(as_(bob), label="local", timeout=60)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["topic"], made["status"], made["agent"]) == (f"team.{team.pk}", "queued", "box-1")

    worker.carry_out_all()

    shown = as_(victor).get(f"/api/v1/tasks/{made['id']}/").json()
    assert shown | {"status": "completed", "exit_code": 0, "author": "bob", "progress": 100} == shown


def test_the_same_idempotency_key_is_the_same_task(as_, bob):
    browser = as_(bob)
    first, again = (
        browser.post(
            "/api/v1/tasks/", {"query": "uptime"}, content_type="application/json", headers={"Idempotency-Key": "once"}
        )
        for _ in range(2)
    )

    assert first.status_code == again.status_code == 201
    assert first.json()["id"] == again.json()["id"]
    assert Task.objects.count() == 1


def test_a_team_can_be_named(as_, bob):
    other = Team.objects.create(name="Other")
    Membership.objects.create(team=other, user=bob, role=Role.OPERATOR)

    assert submit(as_(bob), team=str(other.pk)).json()["team_id"] == str(other.pk)


def test_an_agent_reads_with_its_key(client, bob, as_, agent_key):
    submit(as_(bob))

    answer = client.get("/api/v1/tasks/", headers={"Authorization": f"Bearer {agent_key.secret}"})
    assert answer.status_code == 200
    assert answer.json()["count"] == 1


def test_lists_are_filtered(as_, bob):
    browser = as_(bob)
    submit(browser)

    for query, count in [
        ("", 1),
        ("?status=queued", 1),
        ("?status=failed", 0),
        ("?purpose=alone", 1),
        ("?purpose=step", 0),
    ]:
        assert browser.get(f"/api/v1/tasks/{query}").json()["count"] == count
    for query in ("team=x", "status=x", "status=%00", "purpose=%00"):
        assert browser.get(f"/api/v1/tasks/?{query}").status_code == 400


def test_a_task_is_cancelled(as_, bob):
    browser = as_(bob)
    task = submit(browser).json()["id"]

    assert browser.post(f"/api/v1/tasks/{task}/cancel/").json()["status"] == "cancelled"
    assert browser.post(f"/api/v1/tasks/{task}/cancel/").status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"query": ""},
        {"query": "   "},
        {"query": "x\0"},
        {"query": 5, "agent": "a", "label": "b"},
        {"query": "x", "timeout": 0},
        {"query": "x", "timeout": 1e9},
        {"query": "x", "retries": -1},
        {"query": "x", "team": "mine"},
        {"query": None},
        [],
        "uptime",
    ],
)
def test_a_wrong_body_gets_a_sentence(as_, bob, body):
    answer = as_(bob).post("/api/v1/tasks/", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"
    assert answer.json()["error"]["message"]


def test_who_may_do_what(as_, client, alice, bob, victor, mallory):
    task = submit(as_(bob)).json()["id"]

    def status(person, verb, path):
        return getattr(as_(person), verb)(path, content_type="application/json").status_code

    for person in (alice, bob, victor):
        assert status(person, "get", f"/api/v1/tasks/{task}/") == 200
    assert submit(as_(victor)).status_code == 403
    assert status(victor, "post", f"/api/v1/tasks/{task}/cancel/") == 403
    assert client.get("/api/v1/tasks/").status_code == 401
    assert status(alice, "post", f"/api/v1/tasks/{task}/cancel/") == 200

    nothing = uuid4()
    for verb, path in [("get", "/api/v1/tasks/{}/"), ("post", "/api/v1/tasks/{}/cancel/")]:
        theirs, none = (
            getattr(as_(mallory), verb)(path.format(id), content_type="application/json") for id in (task, nothing)
        )
        assert theirs.status_code == none.status_code == 404
        assert theirs.json() == none.json()
    assert as_(mallory).get("/api/v1/tasks/").json()["count"] == 0
    assert submit(as_(mallory), team=str(Task.objects.get().team_id)).status_code == 404


def test_who_has_a_very_long_name_submits_tasks_too(as_, bob, agent_key):
    Worker(agent_key)
    bob.first_name, bob.last_name = "A" * 150, "L" * 150
    bob.save()
    answer = submit(as_(bob), label="local")
    assert answer.status_code == 201
    assert Task.objects.get().author_name == bob.display_name == "A" * 150
    cancelled = as_(bob).post(f"/api/v1/tasks/{answer.json()['id']}/cancel/")
    assert cancelled.status_code == 200
