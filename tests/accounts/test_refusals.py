import pytest

from apps.accounts import refusals
from apps.accounts.refusals import Forbidden, Refusal, TooFast


def test_a_refusal_says_code_and_message():
    assert Forbidden("Not this one.").as_data() == {"code": "forbidden", "message": "Not this one."}


def test_a_refusal_has_a_sentence_of_its_own():
    assert Forbidden().as_data()["message"] == Forbidden.default_message


def test_it_says_how_long_to_wait_when_waiting_helps():
    assert TooFast(retry_after=2.5).as_data()["retry_after"] == 2.5


@pytest.mark.parametrize(
    ("name", "code", "status", "close_code"),
    [
        ("BadFrame", "bad_frame", 400, 4400),
        ("Invalid", "invalid", 400, None),
        ("Unauthenticated", "unauthenticated", 401, 4401),
        ("Revoked", "revoked", 401, 4440),
        ("Forbidden", "forbidden", 403, 4403),
        ("NotFound", "not_found", 404, None),
        ("Conflict", "conflict", 409, None),
        ("TooManyConnections", "too_many_connections", 429, 4409),
        ("TooLarge", "too_large", 413, 4413),
        ("TooFast", "too_fast", 429, 4429),
        ("OutOfDate", "out_of_date", 426, 4426),
        ("Unavailable", "unavailable", 503, 1013),
    ],
)
def test_each_refusal_has_its_code_status_and_close_code(name, code, status, close_code):
    refusal = getattr(refusals, name)()
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.status, refusal.close_code) == (code, status, close_code)
    assert refusal.message.endswith(".")
