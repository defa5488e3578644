import pytest
from django.contrib.admin import site
from rest_framework_api_key.models import APIKey
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from apps.accounts import revocations
from apps.accounts.authentication import actor_from_bearer, actor_from_session, renewed
from apps.accounts.models import ApiKey, AuditEntry, Membership, Team, User
from apps.accounts.roles import Role

from .conftest import PASSWORD


@pytest.fixture
def admin(browser, admin_user):
    return browser(admin_user)


@pytest.fixture
def post(admin, committing):
    """Send a form of the admin; fails if the admin shows it again with errors."""

    def send(path, body):
        with committing():
            answer = admin.post(f"/admin/accounts/{path}", body)
        errors = answer.context and (answer.context.get("errors") or answer.context.get("form").errors)
        assert answer.status_code == 302, errors
        return answer

    return send


def user_form(user, **changes):
    values = {"username": user.username, "is_active": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    return {name: value for name, value in (values | changes).items() if value is not None}


def inline(team, **rows):
    memberships = list(team.memberships.all())
    form = {
        "name": team.name,
        "memberships-TOTAL_FORMS": len(memberships),
        "memberships-INITIAL_FORMS": len(memberships),
    }
    for number, membership in enumerate(memberships):
        form |= {
            f"memberships-{number}-id": membership.pk,
            f"memberships-{number}-team": team.pk,
            f"memberships-{number}-user": membership.user_id,
            f"memberships-{number}-role": rows.get(membership.user.username, membership.role),
        }
        if rows.get(membership.user.username, "") is None:
            form |= {f"memberships-{number}-DELETE": "on", f"memberships-{number}-role": membership.role}
    return form


@pytest.mark.parametrize("model", ["user", "team", "apikey", "auditentry"])
def test_every_list_and_form_opens(admin, model, alice, team, agent_key, admin_user):
    row = {"user": alice.pk, "team": team.pk, "apikey": agent_key.pk}.get(model)
    assert admin.get(f"/admin/accounts/{model}/?q=a").status_code == 200
    if row:
        assert admin.get(f"/admin/accounts/{model}/{row}/change/").status_code == 200
        assert admin.get(f"/admin/accounts/{model}/add/").status_code == 200


def test_nobody_reads_tokens_or_the_packages_own_keys():
    assert not site.is_registered(APIKey)
    assert not site.is_registered(OutstandingToken)


def test_deactivating_in_the_form_ends_live_sockets(post, browser, bob, told):
    actor = actor_from_session(browser(bob).session.session_key)
    post(f"user/{bob.pk}/change/", user_form(bob, is_active=None))
    assert renewed(actor) is None
    assert bob.pk in [revocation.user_id for revocation in told]


def test_deactivating_many_ends_live_sockets(post, bob, victor, admin_user, told):
    everybody = [bob.pk, victor.pk, admin_user.pk]
    post("user/", {"action": "deactivate", "_selected_action": everybody})
    assert {revocation.user_id for revocation in told} == {bob.pk, victor.pk}
    assert not User.objects.get(pk=bob.pk).is_active
    assert User.objects.get(pk=admin_user.pk).is_active
    post("user/", {"action": "activate", "_selected_action": [bob.pk]})
    assert User.objects.get(pk=bob.pk).is_active


def test_a_password_set_by_the_admin_ends_live_sockets(post, bob, told):
    post(
        f"user/{bob.pk}/password/",
        {"password1": "q1w2e3r4t5!x", "password2": "q1w2e3r4t5!x", "usable_password": "true"},
    )
    assert [revocation.user_id for revocation in told] == [bob.pk]
    assert AuditEntry.objects.filter(action="user.password_changed", target=f"user:{bob.pk}").exists()


def test_deleting_a_user_ends_live_sockets(post, bob, told):
    number = bob.pk
    post(f"user/{number}/delete/", {"post": "yes"})
    assert number in [revocation.user_id for revocation in told]


def test_deleting_many_users_ends_live_sockets(post, bob, victor, told):
    numbers = {bob.pk, victor.pk}
    post("user/", {"action": "delete_selected", "_selected_action": list(numbers), "post": "yes"})
    assert {revocation.user_id for revocation in told} == numbers
    assert AuditEntry.objects.filter(action="user.deleted").count() == 2


@pytest.mark.django_db(transaction=True)
def test_who_asks_when_told_that_many_are_deleted_finds_nobody(admin, bob, monkeypatch):
    found = []
    asking = [lambda revocation: found.append(User.objects.filter(pk=revocation.user_id).exists())]
    monkeypatch.setattr(revocations, "_listeners", asking)
    admin.post("/admin/accounts/user/", {"action": "delete_selected", "_selected_action": [bob.pk], "post": "yes"})
    assert found == [False]


def test_a_member_removed_or_changed_in_the_form_is_told(post, team, bob, victor, told):
    post(f"team/{team.pk}/change/", inline(team, bob=None, victor=Role.OPERATOR.value))
    assert {(revocation.user_id, revocation.team_id) for revocation in told} == {
        (bob.pk, team.id),
        (victor.pk, team.id),
    }
    assert not Membership.objects.filter(user=bob).exists()
    assert AuditEntry.objects.filter(action="member.removed", detail__user="bob").exists()


def test_deleting_a_team_ends_its_keys_and_members(post, team, agent_key, alice, told):
    post(f"team/{team.pk}/delete/", {"post": "yes"})
    assert not Team.objects.filter(pk=team.pk).exists()
    assert agent_key.prefix in [revocation.key_prefix for revocation in told]
    assert alice.pk in [revocation.user_id for revocation in told]


def test_a_key_made_in_the_admin_is_shown_once_and_works(admin, post, team, admin_user):
    post("apikey/add/", {"name": "runner", "team": str(team.pk)})
    page = admin.get("/admin/accounts/apikey/").content.decode()
    key = ApiKey.objects.get(name="runner")
    plaintext = next(word for word in page.split() if word.startswith(f"{key.prefix}."))
    assert actor_from_bearer(plaintext).key == key
    assert key.created_by == admin_user
    assert plaintext not in admin.get("/admin/accounts/apikey/").content.decode()


def test_revoking_and_deleting_keys_is_told(post, agent_key, told):
    post("apikey/", {"action": "revoke", "_selected_action": [agent_key.pk]})
    post("apikey/", {"action": "delete_selected", "_selected_action": [agent_key.pk], "post": "yes"})
    assert [revocation.key_prefix for revocation in told] == [agent_key.prefix] * 2


def test_revoking_in_the_form_is_told(post, agent_key, told):
    post(f"apikey/{agent_key.pk}/change/", {"name": agent_key.name, "revoked": "on"})
    assert [revocation.key_prefix for revocation in told] == [agent_key.prefix]


def test_nobody_edits_the_audit_log(admin, admin_user):
    entry = AuditEntry.objects.create(sender="system", name="system", action="x")
    assert admin.get(f"/admin/accounts/auditentry/{entry.pk}/change/").status_code == 200
    assert admin.get("/admin/accounts/auditentry/add/").status_code == 403
    assert admin.post(f"/admin/accounts/auditentry/{entry.pk}/change/", {"action": "y"}).status_code == 403
    assert admin.post(f"/admin/accounts/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_admins_door_is_for_staff(client, alice, admin_user):
    assert client.post("/admin/login/", {"username": "alice", "password": PASSWORD}).status_code == 200
    assert client.post("/admin/login/", {"username": "adam", "password": PASSWORD}).status_code == 302
