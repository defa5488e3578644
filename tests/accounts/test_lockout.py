from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts import lockout
from apps.accounts.models import AuditEntry, LoginAttempt
from apps.accounts.refusals import TooFast

from .conftest import PASSWORD


@pytest.fixture
def try_to_log_in(as_api):
    def attempt(password="wrong", username="alice", address="192.0.2.1"):
        body = {"username": username, "password": password}
        return as_api().post("/api/v1/auth/token/", body, format="json", REMOTE_ADDR=address)

    return attempt


@pytest.fixture
def alice_is_locked_out(alice, try_to_log_in, settings):
    settings.LOGIN_ATTEMPTS = 3
    return [try_to_log_in() for _ in range(3)]


def test_too_many_wrong_passwords_have_to_wait(alice_is_locked_out, try_to_log_in):
    assert {answer.status_code for answer in alice_is_locked_out} == {401}
    answer = try_to_log_in()
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "too_fast"
    assert 0 < answer.json()["error"]["retry_after"] <= 300
    assert 0 < int(answer["Retry-After"]) <= 300


def test_then_even_the_right_password_has_to_wait(alice_is_locked_out, try_to_log_in):
    assert try_to_log_in(PASSWORD).status_code == 429


def test_the_login_page_says_so_too(alice_is_locked_out):
    page = Client().post("/login/", {"username": "alice", "password": PASSWORD}, REMOTE_ADDR="192.0.2.1")
    assert page.status_code == 200
    assert "Too many wrong passwords" in page.content.decode()


def test_the_admins_login_says_so_too(alice_is_locked_out):
    page = Client().post("/admin/login/", {"username": "alice", "password": PASSWORD}, REMOTE_ADDR="192.0.2.1")
    assert "Too many wrong passwords" in page.content.decode()


def test_nobody_else_has_to_wait(alice_is_locked_out, try_to_log_in, bob):
    assert try_to_log_in(PASSWORD, address="192.0.2.2").status_code == 200
    assert try_to_log_in(PASSWORD, username="bob").status_code == 200


def test_waiting_helps_and_trying_meanwhile_does_not_make_it_longer(alice_is_locked_out, try_to_log_in):
    try_to_log_in()
    LoginAttempt.objects.update(at=timezone.now() - timedelta(seconds=301))
    assert try_to_log_in(PASSWORD).status_code == 200


def test_a_right_password_forgets_the_wrong_ones(alice, try_to_log_in, settings):
    settings.LOGIN_ATTEMPTS = 3
    for _ in range(3):
        assert try_to_log_in().status_code == 401
        assert try_to_log_in(PASSWORD).status_code == 200


def test_logins_and_refusals_are_on_record(alice, try_to_log_in):
    try_to_log_in()
    try_to_log_in(PASSWORD)
    login, refusal = AuditEntry.objects.all()
    assert (refusal.action, refusal.target, refusal.detail["address"]) == ("login.refused", "alice", "192.0.2.1")
    assert (login.action, login.sender, login.detail["door"]) == ("login", f"user:{alice.pk}", "/api/v1/auth/token/")
    assert "wrong" not in str(refusal.detail) and PASSWORD not in str(login.detail)


@pytest.mark.django_db(transaction=True)
def test_guessing_in_parallel_gains_nothing(settings):
    settings.LOGIN_ATTEMPTS = 3

    def guess(_: int) -> bool:
        try:
            return bool(lockout.begin("alice", "192.0.2.1"))
        except TooFast:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(guess, range(24))) <= 3
