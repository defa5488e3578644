"""What the OpenAPI document says of answers whose shape is not that of their request."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from apps.accounts.models import User


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(public=True)


@pytest.fixture
def described(document):
    """`described("/api/v1/teams/", "post")`: (the status of its success, the names in that answer)."""

    def described(path, method):
        [(status, answer)] = document["paths"][path][method]["responses"].items()
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        properties = document["components"]["schemas"].get(name, schema).get("properties", {})
        return int(status), set(properties), schema.get("type")

    return described


@pytest.mark.django_db
def test_tokens_are_described_as_they_come(described, client):
    User.objects.create_user("dora", password="a long walk on the platform")
    sent = {"username": "dora", "password": "a long walk on the platform"}
    for path in ("/api/v1/auth/token/", "/api/v1/auth/token/refresh/"):
        answer = client.post(path, sent, content_type="application/json")
        assert described(path, "post")[:2] == (answer.status_code, set(answer.json()))
        sent = {"refresh": answer.json()["refresh"]}


def test_what_has_no_page_and_what_has_no_body_is_described_so(described):
    assert described("/api/v1/teams/", "post")[0] == 201
    assert described("/api/v1/client-errors/", "post")[:2] == (204, set())
    assert described("/api/v1/chat/sessions/{id}/members/", "get")[2] == "array"
