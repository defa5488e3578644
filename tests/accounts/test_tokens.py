from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from apps.accounts import services, tokens
from apps.accounts.actors import SYSTEM
from apps.accounts.models import AuditEntry, TokenFamily, User
from apps.accounts.refusals import Unauthenticated

from .conftest import PASSWORD

OBTAIN = "/api/v1/auth/token/"
REFRESH = "/api/v1/auth/token/refresh/"
BLACKLIST = "/api/v1/auth/token/blacklist/"


@pytest.fixture
def api(as_api):
    return as_api()


def refused(answer):
    assert answer.status_code == 401, answer.content
    assert answer.json()["error"]["code"] == "unauthenticated"
    assert answer.json()["error"]["message"]
    assert answer["WWW-Authenticate"].startswith("Bearer")
    return True


def works(api, access):
    return api.get("/api/v1/teams/", HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 200


def test_a_password_gets_a_pair_that_works(api, alice):
    answer = api.post(OBTAIN, {"username": "alice", "password": PASSWORD}, format="json")
    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh"}
    assert works(api, answer.json()["access"])
    alice.refresh_from_db()
    assert alice.last_login is not None


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"username": "nobody"}])
def test_wrong_credentials_are_refused(api, alice, wrong):
    assert refused(api.post(OBTAIN, {"username": "alice", "password": PASSWORD} | wrong, format="json"))


def test_a_deactivated_user_gets_no_pair(api, alice):
    services.deactivate_user(SYSTEM, user=alice)
    assert refused(api.post(OBTAIN, {"username": "alice", "password": PASSWORD}, format="json"))


@pytest.mark.parametrize(
    "body", [{}, {"username": "alice"}, {"username": [], "password": {}}, {"username": "a\x00", "password": "b"}, []]
)
def test_a_wrong_body_is_invalid(api, db, body):
    answer = api.post(OBTAIN, body, format="json")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"
    assert answer.json()["error"]["fields"]


def test_no_json_is_invalid(api, db):
    answer = api.post(OBTAIN, "{", content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"


def test_a_refresh_token_gets_a_new_pair_once(api, alice):
    pair = tokens.issue(alice)
    answer = api.post(REFRESH, {"refresh": pair.refresh}, format="json")
    assert answer.status_code == 200
    assert works(api, answer.json()["access"])
    assert refused(api.post(REFRESH, {"refresh": pair.refresh}, format="json"))
    assert api.post(REFRESH, {"refresh": answer.json()["refresh"]}, format="json").status_code == 200


@pytest.mark.parametrize("nonsense", ["x", "a.b.c", "ü.ü.ü"])
def test_nonsense_refreshes_nothing(api, db, nonsense):
    assert refused(api.post(REFRESH, {"refresh": nonsense}, format="json"))


def test_an_access_token_refreshes_nothing(api, alice):
    assert refused(api.post(REFRESH, {"refresh": tokens.issue(alice).access}, format="json"))


def test_a_deleted_user_refreshes_nothing(api, alice):
    with_family, without = tokens.issue(alice).refresh, str(RefreshToken.for_user(alice))
    alice.delete()
    assert refused(api.post(REFRESH, {"refresh": with_family}, format="json"))
    assert refused(api.post(REFRESH, {"refresh": without}, format="json"))


def test_a_deactivated_user_refreshes_nothing(api, alice):
    refresh = tokens.issue(alice).refresh
    services.deactivate_user(SYSTEM, user=alice)
    assert refused(api.post(REFRESH, {"refresh": refresh}, format="json"))


def test_a_changed_password_ends_the_family(api, alice):
    refresh = tokens.issue(alice).refresh
    services.set_password(SYSTEM, user=alice, password="something else entirely")
    assert refused(api.post(REFRESH, {"refresh": refresh}, format="json"))


def test_blacklisting_ends_both_tokens(api, alice):
    pair = tokens.issue(alice)
    answer = api.post(BLACKLIST, {"refresh": pair.refresh}, format="json")
    assert (answer.status_code, answer.json()) == (200, {})
    assert not works(api, pair.access)
    assert refused(api.post(REFRESH, {"refresh": pair.refresh}, format="json"))
    assert refused(api.post(BLACKLIST, {"refresh": pair.refresh}, format="json"))


def test_blacklisting_after_a_rotation_ends_the_earlier_access_token_too(api, alice):
    first = tokens.issue(alice)
    second = tokens.rotate(first.refresh)
    tokens.end(second.refresh)
    assert not works(api, first.access)
    assert not works(api, second.access)


def test_a_logout_is_told_to_live_connections(api, alice, told, committing):
    pair = tokens.issue(alice)
    with committing():
        api.post(BLACKLIST, {"refresh": pair.refresh}, format="json")
    assert [revocation.family for revocation in told] == [RefreshToken(pair.refresh, verify=False)["family"]]


def test_a_lost_answer_costs_one_refusal_and_not_the_login(api, alice):
    first = tokens.issue(alice)
    second = tokens.rotate(first.refresh)
    assert refused(api.post(REFRESH, {"refresh": first.refresh}, format="json"))
    assert works(api, second.access)


def test_who_lost_the_answer_to_a_renewal_can_log_out(api, alice):
    first = tokens.issue(alice)
    second = tokens.rotate(first.refresh)
    assert api.post(BLACKLIST, {"refresh": first.refresh}, format="json").status_code == 200
    assert not works(api, second.access)
    assert refused(api.post(REFRESH, {"refresh": second.refresh}, format="json"))
    assert refused(api.post(BLACKLIST, {"refresh": first.refresh}, format="json"))
    assert AuditEntry.objects.get().action == "logout"


@pytest.mark.parametrize("kind", ["changed", "expired", "access"])
def test_what_is_no_refresh_token_of_hers_logs_nobody_out(api, alice, kind):
    pair = tokens.issue(alice)
    token = RefreshToken(pair.refresh)
    token.set_exp(lifetime=-timedelta(seconds=1))
    head, claims, signature = pair.refresh.split(".")
    wrong = {"changed": f"{head}.{claims}.{signature[::-1]}", "expired": str(token), "access": pair.access}[kind]
    assert refused(api.post(BLACKLIST, {"refresh": wrong}, format="json"))
    assert works(api, pair.access)


def test_a_used_token_that_comes_back_late_ends_the_login(api, alice):
    first = tokens.issue(alice)
    second = tokens.rotate(first.refresh)
    BlacklistedToken.objects.update(blacklisted_at=timezone.now() - timedelta(minutes=1))
    assert refused(api.post(REFRESH, {"refresh": first.refresh}, format="json"))
    assert not works(api, second.access)
    assert refused(api.post(REFRESH, {"refresh": second.refresh}, format="json"))
    assert AuditEntry.objects.filter(action="login.ended_after_token_reuse").exists()


def expire(*pairs):
    """Two days ago these refresh tokens expired."""
    for pair in pairs:
        jti = RefreshToken(pair.refresh, verify=False)["jti"]
        OutstandingToken.objects.filter(jti=jti).update(expires_at=timezone.now() - timedelta(days=2))


def forget(most=100):
    return tokens.forget(timezone.now() - timedelta(days=1), most)


def test_used_tokens_are_forgotten_once_they_expire_and_the_login_goes_on(api, alice):
    first = tokens.issue(alice)
    second = tokens.rotate(first.refresh)
    third = tokens.rotate(second.refresh)
    assert forget() == 0
    expire(first, second)
    forget()
    assert (OutstandingToken.objects.count(), BlacklistedToken.objects.count()) == (1, 0)
    assert works(api, third.access)
    assert tokens.rotate(third.refresh)


def test_a_login_is_forgotten_with_its_last_token(api, alice):
    left, other = tokens.rotate(tokens.issue(alice).refresh), tokens.issue(alice)
    expire(left)
    forget()
    assert TokenFamily.objects.count() == 1
    assert not works(api, left.access)
    assert works(api, other.access)


def test_a_login_that_was_ended_is_forgotten_and_does_not_come_back(api, alice):
    pair = tokens.issue(alice)
    tokens.end(pair.refresh)
    assert forget() == 0
    TokenFamily.objects.update(ended_at=timezone.now() - timedelta(days=2))
    assert forget() == 1
    assert not works(api, pair.access)
    assert refused(api.post(REFRESH, {"refresh": pair.refresh}, format="json"))


def test_they_are_forgotten_in_portions(alice):
    expire(*(tokens.issue(alice) for _ in range(3)))
    assert [forget(most=2) for _ in range(3)] == [4, 2, 0]  # each a token and its login


def test_a_token_that_nobody_can_read_is_forgotten_too(alice):
    expire(tokens.issue(alice))
    OutstandingToken.objects.update(token="of another time")
    assert forget() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_refresh_at_once_one_gets_a_pair():
    refresh = tokens.issue(User.objects.create_user("alice")).refresh

    def ask(_: int) -> bool:
        try:
            return bool(tokens.rotate(refresh))
        except Unauthenticated:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(ask, range(16))) == 1
