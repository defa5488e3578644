import pytest
from rest_framework.test import APIClient


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/commands/?other=%00",
        "/api/v1/commands/?a=b&other=x%00y",
        "/api/v1/api-keys/%00/",
        "/api/v1/projects/?%00=1",
        "/tasks/?status=%00",
    ],
)
def test_an_address_with_a_nul_character_is_refused(alice, address):
    client = APIClient()
    client.force_login(alice)
    answer = client.get(address)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


def test_a_percent_sign_before_two_noughts_is_none(alice):
    client = APIClient()
    client.force_login(alice)
    assert client.get("/api/v1/commands/?other=%2500").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil!!", ""])
def test_a_program_that_asks_by_a_wrong_name_is_told_so(alice, host, caplog):
    client = APIClient()
    client.force_login(alice)
    answer = client.get("/api/v1/teams/", HTTP_HOST=host)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
    assert "Traceback" not in caplog.text
