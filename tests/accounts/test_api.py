from uuid import uuid4

import pytest

from apps.accounts.authentication import actor_from_bearer
from apps.accounts.models import ApiKey, Membership, Team
from apps.accounts.refusals import Unauthenticated
from apps.accounts.roles import Role

TEAMS = "/api/v1/teams/"
KEYS = "/api/v1/api-keys/"


@pytest.fixture
def members(team):
    return f"{TEAMS}{team.id}/members/"


def names(answer):
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


# Teams ----------------------------------------------------------------------------------------------


def test_everybody_sees_their_own_teams(as_api, alice, victor, mallory, agent_key, team):
    for member in (alice, victor, agent_key):
        assert names(as_api(member).get(TEAMS)) == [team.name]
    assert names(as_api(mallory).get(TEAMS)) == []


def test_a_new_team_belongs_to_who_made_it(as_api, mallory):
    answer = as_api(mallory).post(TEAMS, {"name": "Night shift"}, format="json")
    assert answer.status_code == 201
    assert Membership.objects.get(team_id=answer.json()["id"]).role == Role.OWNER
    assert as_api(mallory).get(f"{TEAMS}{answer.json()['id']}/").json()["name"] == "Night shift"


def test_a_stranger_gets_the_same_answer_as_for_no_team(as_api, mallory, team):
    api = as_api(mallory)
    for path in ("", "members/"):
        foreign, missing = api.get(f"{TEAMS}{team.id}/{path}"), api.get(f"{TEAMS}{uuid4()}/{path}")
        assert foreign.status_code == missing.status_code == 404
        assert foreign.json() == missing.json()


def test_members_see_each_other(as_api, victor, members):
    roles = {row["username"]: row["role"] for row in as_api(victor).get(members).json()["results"]}
    assert roles == {"alice": "owner", "bob": "operator", "victor": "viewer"}


def test_an_owner_adds_changes_and_removes_members(as_api, alice, mallory, members, team):
    api = as_api(alice)
    added = api.post(members, {"username": "mallory", "role": "viewer"}, format="json")
    assert added.status_code == 201
    assert (added.json()["user_id"], added.json()["role"]) == (mallory.pk, "viewer")
    changed = api.patch(f"{members}{mallory.pk}/", {"role": "operator"}, format="json")
    assert changed.json()["role"] == "operator"
    assert as_api(mallory).get(f"{TEAMS}{team.id}/").status_code == 200
    assert api.delete(f"{members}{mallory.pk}/").status_code == 204
    assert as_api(mallory).get(f"{TEAMS}{team.id}/").status_code == 404


def test_only_owners_manage_members(as_api, alice, bob, victor, mallory, agent_key, members):
    for who, status in [(bob, 403), (victor, 403), (agent_key, 403), (mallory, 404)]:
        api = as_api(who)
        assert api.post(members, {"username": "mallory"}, format="json").status_code == status
        assert api.patch(f"{members}{alice.pk}/", {"role": "viewer"}, format="json").status_code == status
        assert api.delete(f"{members}{alice.pk}/").status_code == status
    assert Membership.objects.count() == 3


@pytest.mark.parametrize(
    "body",
    [{}, {"username": "nobody"}, {"username": "mallory", "role": "king"}, {"username": "mallory", "role": "agent"}],
)
def test_a_wrong_member_is_invalid(as_api, alice, mallory, members, body):
    answer = as_api(alice).post(members, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"


def test_the_last_owner_cannot_go(as_api, alice, members):
    answer = as_api(alice).delete(f"{members}{alice.pk}/")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "conflict"


def test_who_is_no_member_cannot_be_changed(as_api, alice, mallory, members):
    for user_id in (mallory.pk, 10**18, 10**30):
        assert as_api(alice).patch(f"{members}{user_id}/", {"role": "viewer"}, format="json").status_code == 404
        assert as_api(alice).delete(f"{members}{user_id}/").status_code == 404


# API keys -------------------------------------------------------------------------------------------


def test_a_key_is_shown_once(as_api, alice, team):
    api = as_api(alice)
    created = api.post(KEYS, {"name": "runner", "team": str(team.id)}, format="json")
    assert created.status_code == 201
    assert created["Cache-Control"] == "no-store"
    plaintext = created.json()["key"]
    assert actor_from_bearer(plaintext).key.team_id == team.id
    for later in (api.get(KEYS), api.get(f"{KEYS}{created.json()['prefix']}/")):
        assert later.status_code == 200
        assert plaintext.split(".")[1] not in later.content.decode()
        assert "hash" not in later.content.decode()


def test_the_only_team_need_not_be_named(as_api, alice, bob, team):
    assert as_api(alice).post(KEYS, {"name": "runner"}, format="json").json()["team"] == str(team.id)
    assert as_api(bob).post(KEYS, {"name": "runner"}, format="json").status_code == 403
    second = Team.objects.create(name="Second")
    Membership.objects.create(team=second, user=alice, role=Role.OWNER)
    assert as_api(alice).post(KEYS, {"name": "runner"}, format="json").status_code == 400


def test_a_revoked_key_stops_working_and_stays_listed(as_api, alice, agent_key):
    api = as_api(alice)
    assert api.post(f"{KEYS}{agent_key.prefix}/revoke/").json()["revoked"] is True
    with pytest.raises(Unauthenticated):
        actor_from_bearer(agent_key.secret)
    assert [row["revoked"] for row in api.get(KEYS).json()["results"]] == [True]


def test_deleting_a_key_revokes_it(as_api, alice, agent_key):
    assert as_api(alice).delete(f"{KEYS}{agent_key.prefix}/").status_code == 204
    assert ApiKey.objects.get(pk=agent_key.pk).revoked
    assert as_api(agent_key).get(TEAMS).status_code == 401


def test_only_owners_manage_keys(as_api, bob, victor, mallory, agent_key, team):
    for who, status in [(bob, 403), (victor, 403), (mallory, 404), (agent_key, 403)]:
        api = as_api(who)
        assert names(api.get(KEYS)) == []
        assert api.post(KEYS, {"name": "x", "team": str(team.id)}, format="json").status_code == status
        assert api.get(f"{KEYS}{agent_key.prefix}/").status_code == status
        assert api.delete(f"{KEYS}{agent_key.prefix}/").status_code == status
        assert api.post(f"{KEYS}{agent_key.prefix}/revoke/").status_code == status
    assert not ApiKey.objects.get(pk=agent_key.pk).revoked


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 51},
        {"name": "x", "team": "no"},
        {"name": "x", "expires_at": "2001-01-01T00:00Z"},
    ],
)
def test_a_wrong_key_is_invalid(as_api, alice, body):
    answer = as_api(alice).post(KEYS, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"


def test_a_key_of_no_team_is_not_found(as_api, alice):
    assert as_api(alice).post(KEYS, {"name": "x", "team": str(uuid4())}, format="json").status_code == 404
    assert as_api(alice).get(f"{KEYS}nothing!/").status_code == 404


def test_staff_manages_every_team(as_api, admin_user, members, agent_key, mallory):
    api = as_api(admin_user)
    assert api.post(members, {"username": "mallory"}, format="json").status_code == 201
    assert api.delete(f"{KEYS}{agent_key.prefix}/").status_code == 204
