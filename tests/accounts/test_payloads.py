import pytest

from apps.accounts.models import Membership, Team
from apps.accounts.roles import Role

TEAMS = "/api/v1/teams/"


@pytest.fixture
def post(as_api, alice):
    return lambda body: as_api(alice).post(TEAMS, body, content_type="application/json")


def test_a_body_may_be_json_or_a_form(as_api, alice, post):
    assert post('{"name": "One"}').status_code == 201
    assert as_api(alice).post(TEAMS, {"name": "Two"}, format="multipart").status_code == 201
    form = as_api(alice).post(TEAMS, "name=Three", content_type="application/x-www-form-urlencoded")
    assert form.status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "nonsense",
        '{"name": NaN}',
        '{"name": 1e999}',
        b"\xff\xfe",
        '{"name": "\\ud800"}',
        "[" * 100_000,
        '{"name": ' + "[" * 33 + "]" * 33 + "}",
        '{"a":' * 900 + "1" + "}" * 900,
        "null",
        "[]",
        '"name"',
        '{"name": {"a": 1}}',
        '{"name": "a\\u0000b"}',
    ],
)
def test_an_odd_body_is_invalid(post, body):
    answer = post(body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"


def test_a_huge_body_is_too_large(post, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = post('{"name": "' + "x" * 1000 + '"}')
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


@pytest.mark.parametrize(
    "page", ["limit=99999999999999999999999", "offset=99999999999999999999999", "limit=-1&offset=x"]
)
def test_an_odd_page_is_still_a_page(as_api, alice, team, page):
    assert as_api(alice).get(f"{TEAMS}?{page}").status_code == 200


def test_a_page_has_an_end(as_api, alice):
    teams = Team.objects.bulk_create(Team(name=f"Team {number}") for number in range(510))
    Membership.objects.bulk_create(Membership(team=team, user=alice, role=Role.VIEWER) for team in teams)
    assert len(as_api(alice).get(TEAMS).json()["results"]) == 50
    assert len(as_api(alice).get(f"{TEAMS}?limit=1000").json()["results"]) == 500
