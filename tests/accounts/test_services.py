from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts import selectors, services
from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.authentication import actor_from_bearer
from apps.accounts.models import AuditEntry, Membership, Team, User
from apps.accounts.refusals import Conflict, Forbidden, Invalid, NotFound
from apps.accounts.roles import Role


@pytest.fixture
def owner(alice):
    return Actor(user=alice)


def test_who_makes_a_team_owns_it(mallory):
    team = services.create_team(Actor(user=mallory), name="  Night shift ")
    assert team.name == "Night shift"
    assert selectors.role_in_team(Actor(user=mallory), team.id) == Role.OWNER


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "a\nb"])
def test_a_team_needs_a_proper_name(owner, name):
    with pytest.raises(Invalid):
        services.create_team(owner, name=name)


def test_an_agent_makes_no_team(agent_key):
    with pytest.raises(Forbidden):
        services.create_team(Actor(key=agent_key), name="Machines")


def test_an_owner_lets_somebody_in(owner, team, mallory):
    services.add_member(owner, team=team, user=mallory, role=Role.OPERATOR)
    assert selectors.role_in_team(Actor(user=mallory), team.id) == Role.OPERATOR


def test_a_member_is_not_added_twice(owner, team, bob):
    with pytest.raises(Conflict):
        services.add_member(owner, team=team, user=bob)


def test_a_person_cannot_be_an_agent(owner, team, bob, mallory):
    with pytest.raises(Invalid):
        services.add_member(owner, team=team, user=mallory, role=Role.AGENT)
    with pytest.raises(Invalid):
        services.change_role(owner, team=team, user=bob, role=Role.AGENT)


def manage(actor, team, member, key):
    return [
        lambda: services.add_member(actor, team=team, user=member),
        lambda: services.change_role(actor, team=team, user=member, role=Role.OWNER),
        lambda: services.remove_member(actor, team=team, user=member),
        lambda: services.create_key(actor, team=team, name="x"),
        lambda: services.revoke_key(actor, key=key),
    ]


@pytest.mark.parametrize("who", ["bob", "victor"])
def test_members_who_do_not_own_manage_nothing(who, team, alice, agent_key, request):
    for attempt in manage(Actor(user=request.getfixturevalue(who)), team, alice, agent_key):
        with pytest.raises(Forbidden):
            attempt()


def test_a_stranger_manages_nothing_and_learns_nothing(mallory, team, alice, agent_key):
    for attempt in manage(Actor(user=mallory), team, alice, agent_key):
        with pytest.raises(NotFound):
            attempt()


def test_an_agent_manages_nothing(agent_key, team, alice):
    for attempt in manage(Actor(key=agent_key), team, alice, agent_key):
        with pytest.raises(Forbidden):
            attempt()


def test_a_new_role_holds_at_once_and_is_told(owner, team, bob, told, committing):
    with committing():
        services.change_role(owner, team=team, user=bob, role=Role.VIEWER)
    assert selectors.role_in_team(Actor(user=bob), team.id) == Role.VIEWER
    assert [(revocation.user_id, revocation.team_id) for revocation in told] == [(bob.pk, team.id)]


def test_a_removed_member_is_told_and_gone(owner, team, bob, told, committing):
    with committing():
        services.remove_member(owner, team=team, user=bob)
    assert selectors.role_in_team(Actor(user=bob), team.id) is None
    assert [(revocation.user_id, revocation.team_id) for revocation in told] == [(bob.pk, team.id)]


def test_a_member_may_leave(team, victor):
    services.remove_member(Actor(user=victor), team=team, user=victor)
    assert not Membership.objects.filter(user=victor).exists()


def test_the_last_owner_stays(owner, team, alice, bob):
    with pytest.raises(Conflict):
        services.remove_member(owner, team=team, user=alice)
    with pytest.raises(Conflict):
        services.change_role(owner, team=team, user=alice, role=Role.VIEWER)
    services.change_role(owner, team=team, user=bob, role=Role.OWNER)
    services.remove_member(owner, team=team, user=alice)


def test_a_new_key_works(owner, team):
    key, plaintext = services.create_key(owner, team=team, name="runner")
    actor = actor_from_bearer(plaintext)
    assert actor.key == key and key.team == team and key.created_by == owner.user
    assert plaintext not in str(AuditEntry.objects.filter(action="key.created").values().get())


def test_a_key_expires_in_the_future_only(owner, team):
    with pytest.raises(Invalid):
        services.create_key(owner, team=team, name="x", expires_at=timezone.now() - timedelta(seconds=1))


def test_revoking_is_told_once_and_may_be_repeated(owner, agent_key, told, committing):
    with committing():
        services.revoke_key(owner, key=agent_key)
        services.revoke_key(owner, key=agent_key)
    assert [revocation.key_prefix for revocation in told] == [agent_key.prefix]


def test_a_deactivated_user_is_told_and_can_come_back(bob, told, committing):
    with committing():
        services.deactivate_user(SYSTEM, user=bob)
    assert [revocation.user_id for revocation in told] == [bob.pk]
    services.activate_user(SYSTEM, user=bob)
    assert User.objects.get(pk=bob.pk).is_active


def test_only_staff_deactivates(owner, bob, admin_user):
    with pytest.raises(NotFound):
        services.deactivate_user(owner, user=bob)
    with pytest.raises(Conflict):
        services.deactivate_user(Actor(user=admin_user), user=admin_user)
    clerk = User.objects.create_user("clerk", is_staff=True)
    with pytest.raises(Forbidden):
        services.deactivate_user(Actor(user=clerk), user=admin_user)
    services.deactivate_user(Actor(user=clerk), user=bob)


def test_each_change_is_on_record(owner, team, bob, mallory, agent_key):
    services.add_member(owner, team=team, user=mallory)
    services.change_role(owner, team=team, user=bob, role=Role.VIEWER)
    services.remove_member(owner, team=team, user=bob)
    services.revoke_key(owner, key=agent_key)
    actions = list(AuditEntry.objects.order_by("id").values_list("action", "sender"))
    names = ["member.added", "member.role_changed", "member.removed", "key.revoked"]
    assert actions == [(name, owner.sender) for name in names]


# The first start ------------------------------------------------------------------------------------


def test_the_first_start_makes_an_admin_with_a_random_password_once(db):
    user, generated = services.ensure_admin()
    assert user.username == "admin" and user.is_superuser and user.check_password(generated)
    assert services.ensure_admin() == (user, None)
    assert user.check_password(generated)


def test_a_password_that_is_given_is_in_force(db):
    user, generated = services.ensure_admin("root", "first one given")
    assert generated is None and user.check_password("first one given")
    again, _ = services.ensure_admin("root", "second one given")
    assert again == user and again.check_password("second one given")
    assert AuditEntry.objects.filter(action="user.password_changed").count() == 1


def test_a_password_that_is_given_again_ends_no_login(db, told, committing):
    services.ensure_admin("root", "first one given")
    with committing():
        services.ensure_admin("root", "first one given")
    assert not told


def test_the_first_team_is_made_once(alice):
    team = services.ensure_team("Signalbox", alice)
    assert services.ensure_team("Signalbox", alice) == team
    assert Team.objects.filter(name="Signalbox").count() == 1
    assert selectors.role_in_team(Actor(user=alice), team.id) == Role.OWNER
