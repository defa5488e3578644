import logging

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import SuspiciousFileOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from apps.accounts import tokens
from apps.accounts.models import AuditEntry
from apps.accounts.refusals import TooFast, Unauthenticated
from apps.accounts.rest import actor_of


class EchoView(APIView):
    def get(self, request):
        return Response({"sender": actor_of(request).sender, "user": str(request.user)})


def answer_to(error):
    class FailingView(APIView):
        permission_classes = ()

        def get(self, request):
            raise error

    return FailingView.as_view()(APIRequestFactory().get("/"))


def echo(**headers):
    return EchoView.as_view()(APIRequestFactory().get("/", **headers))


def test_a_bearer_token_is_a_person(alice):
    for scheme in ("Bearer", "bearer"):
        answer = echo(HTTP_AUTHORIZATION=f"{scheme} {tokens.issue(alice).access}")
        assert answer.data == {"sender": f"user:{alice.pk}", "user": "alice"}


def test_a_bearer_key_is_an_agent_and_no_person(agent_key):
    answer = echo(HTTP_AUTHORIZATION=f"Bearer {agent_key.secret}")
    assert answer.data == {"sender": f"key:{agent_key.prefix}", "user": str(AnonymousUser())}


@pytest.mark.parametrize(
    "header", [None, "", "Basic YTpi", "Bearer", "Bearer ", "Bearer x", "Bearer a b", "Bearer ü.ü.ü"]
)
def test_anything_else_is_unauthenticated(db, header):
    answer = echo(**({} if header is None else {"HTTP_AUTHORIZATION": header}))
    assert answer.status_code == 401
    assert answer.data["error"]["code"] == "unauthenticated"
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_wrong_token_is_not_made_good_by_a_session(alice, browser):
    assert browser(alice).get("/api/v1/teams/").status_code == 200
    assert browser(alice).get("/api/v1/teams/", HTTP_AUTHORIZATION="Bearer a.b").status_code == 401


def test_a_session_may_not_write_without_the_csrf_token(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    answer = browser.post("/api/v1/teams/", {"name": "x"})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "forbidden"


def test_a_plain_django_view_can_ask_too(alice, agent_key):
    request = RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {agent_key.secret}")
    request.user = alice
    assert actor_of(request).key == agent_key

    by_session = RequestFactory().get("/")
    by_session.user = alice
    assert actor_of(by_session).user == alice

    for nobody in (AnonymousUser(), None):
        by_session.user = nobody
        with pytest.raises(Unauthenticated):
            actor_of(by_session)


def test_a_forced_user_counts_in_tests(alice):
    request = APIRequestFactory().get("/")
    force_authenticate(request, user=alice)
    assert EchoView.as_view()(request).data["sender"] == f"user:{alice.pk}"


def test_a_refusal_keeps_its_status_and_its_wait():
    answer = answer_to(TooFast("Slowly.", retry_after=0.2))
    assert answer.status_code == 429
    assert answer.data == {"error": {"code": "too_fast", "message": "Slowly.", "retry_after": 0.2}}
    assert answer["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (exceptions.ParseError(), 400, "invalid"),
        (exceptions.NotAuthenticated(), 401, "unauthenticated"),
        (exceptions.PermissionDenied(), 403, "forbidden"),
        (Http404(), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.UnsupportedMediaType("text/x"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=7), 429, "too_fast"),
    ],
)
def test_every_error_has_one_shape(error, status, code):
    answer = answer_to(error)
    assert answer.status_code == status
    assert set(answer.data) == {"error"}
    assert answer.data["error"]["code"] == code
    assert isinstance(answer.data["error"]["message"], str)


def test_throttling_says_how_long_to_wait():
    assert answer_to(exceptions.Throttled(wait=7)).data["error"]["retry_after"] == 7


@pytest.mark.parametrize(
    ("detail", "message"),
    [
        ({"name": ["This field is required."]}, "name: This field is required."),
        ({"non_field_errors": ["These do not fit."]}, "These do not fit."),
        ({"steps": [{}, {"name": ["Too long."]}]}, "steps.name: Too long."),
        (["Wrong."], "Wrong."),
        ("Wrong.", "Wrong."),
    ],
)
def test_a_validation_error_has_a_sentence_and_its_fields(detail, message):
    error = answer_to(exceptions.ValidationError(detail)).data["error"]
    assert (error["code"], error["message"]) == ("invalid", message)
    assert error.get("fields") == (detail if isinstance(detail, dict) else None)


def test_a_models_own_validation_is_an_answer_too():
    error = answer_to(DjangoValidationError({"name": ["Taken."]})).data["error"]
    assert (error["code"], error["message"]) == ("invalid", "name: Taken.")
    assert answer_to(DjangoValidationError("Odd.")).data["error"]["message"] == "Odd."


def test_what_the_database_does_not_take_is_invalid():
    error = answer_to(DataError("value too long for type character varying(150)"))
    assert (error.status_code, error.data["error"]["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    "problem", [OperationalError("database is locked"), InterfaceError("connection already closed")]
)
def test_a_database_that_is_busy_or_away_is_unavailable_for_now(problem):
    answer = answer_to(problem)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer.data["error"]["code"] == "unavailable" and answer.data["error"]["retry_after"] == 1.0


def test_who_comes_in_while_the_database_is_away_is_told_so(as_api, alice, monkeypatch):
    client = as_api(alice)

    def away(token):
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("apps.accounts.rest.actor_from_bearer", away)
    assert client.get("/api/v1/teams/").json()["error"]["code"] == "unavailable"


FORM = "application/x-www-form-urlencoded"
MANY = "&".join(["a=1"] * (settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))


@pytest.mark.parametrize(
    "method, address, body, code",
    [
        ("POST", "/api/v1/teams/", MANY, "invalid"),
        ("POST", "/api/v1/frames/", "type=" + "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE, "too_large"),
        ("GET", f"/api/v1/teams/?{MANY}", "", "invalid"),
    ],
    ids=["fields", "bytes", "questions"],
)
@pytest.mark.parametrize("by", ["token", "session"])
def test_more_than_django_takes_is_refused_in_words(as_api, browser, alice, caplog, by, method, address, body, code):
    client = as_api(alice) if by == "token" else browser(alice)
    answer = client.generic(method, address, body, content_type=FORM)
    assert (answer.status_code, answer.json()["error"]["code"]) == ({"invalid": 400, "too_large": 413}[code], code)
    assert not [line for line in caplog.records if line.levelno >= logging.ERROR]


def test_whatever_else_is_suspicious_is_invalid():
    assert answer_to(SuspiciousFileOperation("../../etc/passwd")).data["error"]["code"] == "invalid"
    assert "passwd" not in str(answer_to(SuspiciousFileOperation("../../etc/passwd")).data)


# On record ------------------------------------------------------------------------------------------


def test_reaching_for_what_is_not_ones_own_is_on_record(as_api, bob, mallory, team):
    as_api(mallory).get(f"/api/v1/teams/{team.id}/")
    as_api(bob).post(f"/api/v1/teams/{team.id}/members/", {"username": "mallory"}, format="json")
    by_bob, by_mallory = AuditEntry.objects.all()
    assert (by_mallory.sender, by_mallory.detail) == (f"user:{mallory.pk}", {"code": "not_found"})
    assert (by_bob.sender, by_bob.detail) == (f"user:{bob.pk}", {"code": "forbidden"})
    assert by_bob.action == "refused POST" and str(team.id) in by_bob.target


def test_it_is_not_recorded_twice(as_api, db):
    refusal = TooFast()
    assert refusal.recorded is False
    as_api().get("/api/v1/teams/")
    assert not AuditEntry.objects.exists()
