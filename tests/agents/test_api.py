"""The REST doors of agents and commands."""

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.agents.models import Command


def as_user(user):
    client = APIClient()
    client.force_login(user)
    return client


def test_a_member_sees_the_agents_of_the_team(worker, victor, mallory):
    [agent] = as_user(victor).get("/api/v1/agents/").json()["results"]
    assert (agent["name"], agent["status"], agent["topic"], agent["busy"]) == (
        *("worker", "online", f"agent.{worker.id}"),
        0,
    )
    assert as_user(victor).get(f"/api/v1/agents/{worker.id}/").json()["labels"] == ["local"]
    assert as_user(mallory).get("/api/v1/agents/").json()["results"] == []
    assert as_user(mallory).get(f"/api/v1/agents/{worker.id}/").status_code == 404


def test_nobody_is_told_anything_without_credentials(worker):
    assert APIClient().get("/api/v1/agents/").status_code in (401, 403)
    assert APIClient().post("/api/v1/commands/", {}, format="json").status_code in (401, 403)


def test_an_operator_gives_an_agent_a_command_and_interrupts_it(worker, bob):
    client = as_user(bob)
    response = client.post("/api/v1/commands/", {"agent": worker.id, "spec": {"shell": "ls"}}, format="json")
    assert response.status_code == 201
    command = response.json()
    assert (command["status"], command["agent"], command["topic"]) == ("sent", worker.id, f"agent.{worker.id}")
    assert client.get(f"/api/v1/commands/{command['id']}/").json() == command
    stopped = client.post(f"/api/v1/commands/{command['id']}/interrupt/").json()
    assert stopped["status"] == "interrupted"
    again = client.post(f"/api/v1/commands/{command['id']}/interrupt/")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")


def test_the_same_idempotency_key_makes_one_command(worker, bob):
    client = as_user(bob)
    body = {"agent": worker.id, "spec": {"shell": "ls"}}
    ids = {
        client.post("/api/v1/commands/", body, format="json", headers={"Idempotency-Key": "k"}).json()["id"]
        for _ in range(2)
    }
    assert len(ids) == Command.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"agent": "x", "spec": {"shell": "ls"}}, 400),
        ({"agent": str(uuid4()), "spec": {"shell": "ls"}}, 404),
        ({"agent": None, "spec": {"shell": "ls"}}, 400),
        ({"agent": "own", "spec": {}}, 400),
        ({"agent": "own", "kind": "k" * 33, "spec": {"shell": "ls"}}, 400),
        ({"agent": "own", "spec": "ls"}, 400),
        ({"agent": "own", "spec": {"shell": "ls", "cwd": 3}}, 400),
        ([1], 400),
    ],
)
def test_an_odd_body_is_answered_with_a_sentence(worker, bob, body, status):
    if isinstance(body, dict) and body.get("agent") == "own":
        body["agent"] = worker.id
    response = as_user(bob).post("/api/v1/commands/", body, format="json")
    assert response.status_code == status
    assert response.json()["error"]["message"]


def test_an_instance_and_a_kind_may_be_as_long_as_they_are_kept(worker, bob):
    worker.instance, kind = "i" * 64, "k" * 32
    worker.connect(accepts=[kind])
    response = as_user(bob).post(
        "/api/v1/commands/", {"agent": worker.id, "kind": kind, "spec": {"shell": "ls"}}, format="json"
    )
    assert response.status_code == 201


def test_a_viewer_may_look_but_not_command(worker, victor):
    response = as_user(victor).post("/api/v1/commands/", {"agent": worker.id, "spec": {"shell": "ls"}}, format="json")
    assert response.status_code == 403


def test_a_stranger_gets_the_answer_for_what_does_not_exist(worker, bob, mallory):
    command = as_user(bob).post("/api/v1/commands/", {"agent": worker.id, "spec": {"shell": "ls"}}, format="json")
    id = command.json()["id"]
    assert as_user(mallory).get(f"/api/v1/commands/{id}/").status_code == 404
    assert as_user(mallory).post(f"/api/v1/commands/{id}/interrupt/").status_code == 404
    body = {"agent": worker.id, "spec": {"shell": "ls"}}
    assert as_user(mallory).post("/api/v1/commands/", body, format="json").status_code == 404


def test_commands_can_be_chosen_by_agent_and_status(worker, hire, bob):
    client = as_user(bob)
    second = hire("second")
    for id in (worker.id, second.id, second.id):
        client.post("/api/v1/commands/", {"agent": id, "spec": {"shell": "ls"}}, format="json")
    assert client.get(f"/api/v1/commands/?agent={second.id}").json()["count"] == 2
    assert client.get("/api/v1/commands/?status=running").json()["count"] == 0
    assert client.get("/api/v1/commands/?agent=x").status_code == 400
    assert client.get("/api/v1/commands/?status=done").json()["error"]["message"].startswith("status must be one of")


def test_an_owner_deletes_an_agent_that_is_gone(worker, alice, bob):
    assert as_user(bob).delete(f"/api/v1/agents/{worker.id}/").status_code == 403
    assert as_user(alice).delete(f"/api/v1/agents/{worker.id}/").status_code == 409
    worker.status(leaving=True)
    assert as_user(alice).delete(f"/api/v1/agents/{worker.id}/").status_code == 204
    assert as_user(alice).get(f"/api/v1/agents/{worker.id}/").status_code == 404


def test_the_admin_shows_agents_and_commands(worker, bob, admin_client):
    as_user(bob).post("/api/v1/commands/", {"agent": worker.id, "spec": {"shell": "ls"}}, format="json")
    for path in ("agent/", "command/", f"agent/{worker.id}/change/", f"command/{Command.objects.get().pk}/change/"):
        assert admin_client.get(f"/admin/agents/{path}").status_code == 200
