from uuid import uuid4

from apps.accounts import selectors
from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.models import ApiKey, Membership, Team
from apps.accounts.roles import Role


def test_each_member_has_the_role_of_the_membership(alice, bob, victor, team):
    roles = [selectors.role_in_team(Actor(user=user), team.id) for user in (alice, bob, victor)]
    assert roles == [Role.OWNER, Role.OPERATOR, Role.VIEWER]
    assert all(isinstance(role, Role) for role in roles)


def test_a_stranger_has_no_role_and_no_teams(mallory, team):
    assert selectors.role_in_team(Actor(user=mallory), team.id) is None
    assert not selectors.teams_of(Actor(user=mallory)).exists()


def test_a_key_is_an_agent_in_its_own_team_only(agent_key, team):
    other = Team.objects.create(name="Other")
    assert selectors.role_in_team(Actor(key=agent_key), team.id) == Role.AGENT
    assert selectors.role_in_team(Actor(key=agent_key), other.id) is None
    assert list(selectors.teams_of(Actor(key=agent_key))) == [team]


def test_staff_and_the_server_own_every_team(admin_user, team):
    for actor in (Actor(user=admin_user), SYSTEM):
        assert selectors.role_in_team(actor, team.id) == Role.OWNER
        assert team in selectors.teams_of(actor)


def test_staff_does_not_own_what_does_not_exist(admin_user):
    assert selectors.role_in_team(Actor(user=admin_user), uuid4()) is None


def test_a_person_of_two_teams_sees_each_once_and_oldest_first(alice, team):
    second = Team.objects.create(name="Second")
    Membership.objects.create(team=second, user=alice, role=Role.VIEWER)
    assert list(selectors.teams_of(Actor(user=alice))) == [team, second]
    assert list(selectors.teams_owned_by(Actor(user=alice))) == [team]


def test_only_owners_manage_keys(alice, bob, mallory, agent_key):
    assert list(selectors.keys_managed_by(Actor(user=alice))) == [ApiKey.objects.get(pk=agent_key.pk)]
    for other in (Actor(user=bob), Actor(user=mallory), Actor(key=agent_key)):
        assert not selectors.keys_managed_by(other).exists()
