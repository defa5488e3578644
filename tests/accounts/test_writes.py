"""Who writes: over REST, nobody but the threads that are there for it."""

from contextlib import contextmanager

import pytest
from django.db import connection

from apps.accounts import tokens, writes
from apps.accounts.models import AuditEntry, LoginAttempt, Team

from .conftest import PASSWORD

READS = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")


@pytest.fixture
def written_elsewhere(monkeypatch):
    """`with written_elsewhere() as found: …`: what is written meanwhile, but not by those who are there for it."""
    writing: list[int] = []

    def write(work):
        writing.append(1)
        try:
            return work()
        finally:
            writing.pop()

    @contextmanager
    def watch():
        found: list[str] = []

        def look(execute, sql, params, many, context):
            if not writing and not sql.lstrip().startswith(READS):
                found.append(sql)
            return execute(sql, params, many, context)

        monkeypatch.setattr(writes, "_and_wait", write)
        monkeypatch.setattr(writes, "_soon", write)
        with connection.execute_wrapper(look):
            yield found

    return watch


def test_teams_members_keys_and_tickets_are_written_by_writers(as_api, alice, mallory, team, written_elsewhere):
    api, members = as_api(alice), f"/api/v1/teams/{team.id}/members/"
    with written_elsewhere() as found:
        answers = [
            api.post("/api/v1/ws/ticket"),
            api.post("/api/v1/teams/", {"name": "Another"}, format="json"),
            api.post(members, {"username": "mallory"}, format="json"),
            api.patch(f"{members}{mallory.pk}/", {"role": "operator"}, format="json"),
            api.delete(f"{members}{mallory.pk}/"),
            *(api.post("/api/v1/api-keys/", {"name": "k", "team": str(team.id)}, format="json") for _ in range(2)),
        ]
        first, second = (answer.json()["prefix"] for answer in answers[-2:])
        answers += [api.post(f"/api/v1/api-keys/{first}/revoke/"), api.delete(f"/api/v1/api-keys/{second}/")]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 200, 204, 201, 201, 200, 204]
    assert found == []
    assert Team.objects.filter(name="Another").exists()


def test_the_life_of_a_login_is_written_by_writers(as_api, alice, written_elsewhere):
    api = as_api()
    with written_elsewhere() as found:
        wrong = api.post("/api/v1/auth/token/", {"username": "alice", "password": "guessed"}, format="json")
        begun = api.post("/api/v1/auth/token/", {"username": "alice", "password": PASSWORD}, format="json")
        went_on = api.post("/api/v1/auth/token/refresh/", {"refresh": begun.json()["refresh"]}, format="json")
        ended = api.post("/api/v1/auth/token/blacklist/", {"refresh": went_on.json()["refresh"]}, format="json")
    assert [answer.status_code for answer in (wrong, begun, went_on, ended)] == [401, 200, 200, 200]
    assert found == []
    assert not LoginAttempt.objects.exists()


def test_what_is_refused_and_who_is_an_agent_are_written_down_by_writers(
    as_api, agent_key, mallory, team, written_elsewhere
):
    agent, stranger = as_api(agent_key), as_api(mallory)
    with written_elsewhere() as found:
        assert agent.get("/api/v1/teams/").status_code == 200
        assert stranger.get(f"/api/v1/teams/{team.id}/").status_code == 404
    assert found == []
    assert AuditEntry.objects.get().action == "refused GET"


@pytest.mark.django_db(transaction=True)
def test_a_refusal_of_the_writers_is_the_askers_answer(as_api, alice):
    """On SQLite they are another thread, with a connection of its own."""
    api = as_api(alice)
    assert api.post("/api/v1/ws/ticket").status_code == 201
    assert api.post("/api/v1/teams/", {"name": "\u202e"}, format="json").json()["error"]["code"] == "invalid"
    pair = tokens.issue(alice)
    for expected in (200, 401):
        answer = api.post("/api/v1/auth/token/blacklist/", {"refresh": pair.refresh}, format="json")
        assert answer.status_code == expected
