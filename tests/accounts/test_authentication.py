import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from apps.accounts import services, tokens, writes
from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.authentication import actor_from_bearer, actor_from_session, renewed
from apps.accounts.models import ApiKey, User
from apps.accounts.refusals import Unauthenticated


@pytest.fixture
def alice_by_token(alice):
    return actor_from_bearer(tokens.issue(alice).access)


@pytest.fixture
def alice_by_session(alice, browser):
    return actor_from_session(browser(alice).session.session_key)


@pytest.fixture
def agent(agent_key):
    return actor_from_bearer(agent_key.secret)


# Coming in ------------------------------------------------------------------------------------------


def test_an_access_token_names_its_user_and_its_end(alice, alice_by_token):
    assert alice_by_token.user == alice
    assert alice_by_token.expires_at == pytest.approx(time.time() + 300, abs=5)
    assert renewed(alice_by_token) == alice_by_token


def test_an_api_key_names_its_team_and_notes_its_use(agent, agent_key, team):
    assert agent.is_agent and agent.key.team_id == team.id
    assert agent.expires_at is None
    assert ApiKey.objects.get(pk=agent_key.pk).last_used_at is not None


def test_a_key_in_constant_use_costs_one_query(agent, agent_key, django_assert_num_queries):
    with django_assert_num_queries(1):
        actor_from_bearer(agent_key.secret)


def test_an_agent_waits_for_no_writer_and_its_use_is_noted_once(agent_key, monkeypatch):
    later = []
    monkeypatch.setattr(writes, "_soon", later.append)
    for _ in range(3):
        assert actor_from_bearer(agent_key.secret).is_agent
    assert ApiKey.objects.get(pk=agent_key.pk).last_used_at is None
    (note,) = later
    note()
    assert ApiKey.objects.get(pk=agent_key.pk).last_used_at is not None


def test_a_use_that_could_not_be_noted_is_noted_the_next_time(agent_key, monkeypatch, caplog):
    def busy(queryset, **values):
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(QuerySet, "update", busy)
        assert actor_from_bearer(agent_key.secret).is_agent
    assert agent_key.prefix in caplog.text
    actor_from_bearer(agent_key.secret)
    assert ApiKey.objects.get(pk=agent_key.pk).last_used_at is not None


def test_a_key_that_expires_says_when(alice, team):
    end = timezone.now() + timedelta(hours=1)
    _, plaintext = services.create_key(Actor(user=alice), team=team, name="short", expires_at=end)
    assert actor_from_bearer(plaintext).expires_at == pytest.approx(end.timestamp())


def test_a_key_has_one_dot_and_a_token_has_two(alice, agent_key):
    assert agent_key.secret.count(".") == 1
    assert tokens.issue(alice).access.count(".") == 2


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        ".",
        "..",
        "...",
        "abc",
        "a.b",
        "a.b.c",
        "x" * 10_000,
        "ключ.секрет",
        "a\x00.b",
        "null.null.null",
        "eyJ.e30.x",
    ],
)
def test_it_refuses_nonsense(db, nonsense):
    with pytest.raises(Unauthenticated):
        actor_from_bearer(nonsense)


def test_it_refuses_a_token_whose_signature_was_changed(alice):
    head, claims, signature = tokens.issue(alice).access.split(".")
    with pytest.raises(Unauthenticated):
        actor_from_bearer(f"{head}.{claims}.{signature[::-1]}")


def test_it_refuses_a_refresh_token_as_access(alice):
    with pytest.raises(Unauthenticated):
        actor_from_bearer(tokens.issue(alice).refresh)


def test_it_refuses_an_expired_access_token(alice):
    token = AccessToken.for_user(alice)
    token.set_exp(lifetime=-timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        actor_from_bearer(str(token))


def test_it_refuses_a_key_with_another_secret(agent_key):
    with pytest.raises(Unauthenticated):
        actor_from_bearer(f"{agent_key.prefix}.{'x' * 32}")


def test_it_refuses_a_deleted_user_whose_number_somebody_else_got(alice, mallory):
    token = RefreshToken(tokens.issue(alice).refresh)
    token["user_id"] = str(mallory.pk)
    with pytest.raises(Unauthenticated):
        actor_from_bearer(str(token.access_token))


def test_a_session_names_its_user(alice, alice_by_session):
    assert alice_by_session.user == alice
    assert alice_by_session.session_key
    assert renewed(alice_by_session) == alice_by_session


def test_a_session_is_found_by_the_cookies_too(alice, browser):
    key = browser(alice).session.session_key
    assert actor_from_session({settings.SESSION_COOKIE_NAME: key, "other": "x"}).user == alice


@pytest.mark.parametrize("session", ["", "x" * 32, "../../etc/passwd", "a\x00b", {}, {"sessionid": ""}])
def test_it_refuses_a_session_that_is_none(db, session):
    with pytest.raises(Unauthenticated):
        actor_from_session(session)


def test_it_refuses_the_session_of_one_who_has_not_logged_in(client, db):
    session = client.session
    session["colour"] = "red"
    session.save()
    with pytest.raises(Unauthenticated):
        actor_from_session(session.session_key)


def test_it_refuses_an_expired_session(alice, browser):
    key = browser(alice).session.session_key
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        actor_from_session(key)


def test_a_session_survives_a_change_of_the_secret_key(alice, browser, settings):
    key = browser(alice).session.session_key
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret, " * 4
    # Session data is signed with the key as well; Django reads it through the fallbacks, and so do we.
    assert actor_from_session(key).user == alice
    assert Session.objects.filter(pk=key).exists()


# Still valid? ---------------------------------------------------------------------------------------


def test_the_server_is_always_valid():
    assert renewed(SYSTEM) == SYSTEM


def test_a_deactivated_user_is_out(alice, alice_by_token, alice_by_session):
    services.deactivate_user(SYSTEM, user=alice)
    assert renewed(alice_by_token) is None
    assert renewed(alice_by_session) is None


def test_a_deleted_user_is_out(alice, alice_by_token, alice_by_session):
    alice.delete()
    assert renewed(alice_by_token) is None
    assert renewed(alice_by_session) is None


def test_a_changed_password_ends_every_login(alice, alice_by_token, alice_by_session):
    services.set_password(SYSTEM, user=alice, password="something else entirely")
    assert renewed(alice_by_token) is None
    assert renewed(alice_by_session) is None


def test_changing_her_own_password_leaves_a_person_logged_in(alice, client):
    client.force_login(alice)
    session, request = client.session, type("Request", (), {"user": alice})()
    request.session = session
    alice.set_password("something else entirely")
    alice.save()
    update_session_auth_hash(request, alice)
    session.save()
    assert actor_from_session(session.session_key).user == alice


def test_a_logout_ends_the_session(alice, client):
    client.force_login(alice)
    actor = actor_from_session(client.session.session_key)
    client.post("/logout/")
    assert renewed(actor) is None


def test_a_logout_ends_only_this_session(alice, browser):
    here, there = browser(alice), browser(alice)
    still_there = actor_from_session(there.session.session_key)
    here.post("/logout/")
    assert renewed(still_there) == still_there


def test_an_access_token_ends_with_the_logout_of_its_family(alice):
    pair, other = tokens.issue(alice), tokens.issue(alice)
    ended, going_on = actor_from_bearer(pair.access), actor_from_bearer(other.access)
    tokens.end(pair.refresh)
    assert renewed(ended) is None
    assert renewed(going_on) == going_on
    with pytest.raises(Unauthenticated):
        actor_from_bearer(pair.access)


def test_an_access_token_outlives_the_rotation_of_its_refresh_token(alice):
    pair = tokens.issue(alice)
    actor = actor_from_bearer(pair.access)
    tokens.rotate(pair.refresh)
    assert renewed(actor) == actor


def test_an_expired_token_is_no_longer_valid(alice_by_token, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: alice_by_token.expires_at)
    assert renewed(alice_by_token) is None


def test_a_token_made_without_a_family_holds_as_long_as_its_user_does(alice):
    actor = actor_from_bearer(str(RefreshToken.for_user(alice).access_token))
    assert renewed(actor) == actor
    alice.set_password("something else entirely")
    alice.save()
    assert renewed(actor) is None


def test_a_revoked_key_is_out(alice, agent, agent_key):
    services.revoke_key(Actor(user=alice), key=agent_key)
    assert renewed(agent) is None
    with pytest.raises(Unauthenticated):
        actor_from_bearer(agent_key.secret)


def test_an_expired_key_is_out(agent, agent_key):
    ApiKey.objects.filter(pk=agent_key.pk).update(expiry_date=timezone.now() - timedelta(seconds=1))
    assert renewed(agent) is None
    with pytest.raises(Unauthenticated):
        actor_from_bearer(agent_key.secret)


def test_a_deleted_key_is_out(agent, agent_key):
    ApiKey.objects.filter(pk=agent_key.pk).delete()
    assert renewed(agent) is None


def test_a_key_goes_with_its_team(agent, team):
    team.delete()
    assert renewed(agent) is None


def test_the_rights_of_now_come_with_it(alice, alice_by_token, alice_by_session, agent, agent_key):
    User.objects.filter(pk=alice.pk).update(is_staff=True, first_name="Alice")
    for actor in (alice_by_token, alice_by_session, Actor(user=alice)):
        now = renewed(replace(actor, connection="c"))
        assert (now.is_staff, now.name, now.connection) == (True, "Alice", "c")
        User.objects.filter(pk=alice.pk).update(is_staff=False)
        assert not renewed(now).is_staff
        User.objects.filter(pk=alice.pk).update(is_staff=True)
    ApiKey.objects.filter(pk=agent_key.pk).update(name="builders")
    assert renewed(agent).name == "builders"


def test_a_session_that_is_somebody_elses_now_is_no_renewal(alice, bob, browser):
    session = browser(alice).session.session_key
    assert renewed(Actor(user=bob, session_key=session)) is None
