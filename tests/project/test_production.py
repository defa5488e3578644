"""Behind TLS: the proxy says the scheme, and everything that depends on it follows."""

from typing import Any

import httpx
import pytest
import yaml

from tests.project.test_settings import DOCUMENT
from tests.support.processes import ROOT
from tests.support.servers import LiveServer

behind_tls = pytest.mark.own_server(HTTPS="1")
pytestmark = pytest.mark.variants("uvicorn", "sqlite")
FROM_PROXY = {"X-Forwarded-Proto": "https"}


@behind_tls
def test_plain_http_is_sent_to_https_but_for_the_health_check(server: LiveServer) -> None:
    plain = httpx.get(f"{server.url}/login/")
    assert plain.status_code == 301
    assert plain.headers["location"].startswith("https://")
    assert httpx.get(f"{server.url}/health").status_code == 200
    assert httpx.get(f"{server.url}/api/health").status_code == 200


@behind_tls
def test_cookies_are_secure_and_the_browser_remembers(server: LiveServer) -> None:
    page = httpx.get(f"{server.url}/login/", headers=FROM_PROXY)
    assert page.status_code == 200
    assert "max-age=31536000" in page.headers["strict-transport-security"]
    assert "Secure" in page.headers["set-cookie"]
    assert "unsafe-inline" not in page.headers["content-security-policy"]


@behind_tls
@pytest.mark.variants("sqlite")
async def test_a_socket_wants_the_origin_with_its_scheme(server: LiveServer, connect: Any, alice: Any) -> None:
    host = server.url.removeprefix("http://")
    ours = await connect(alice, headers=FROM_PROXY | {"Origin": f"https://{host}"})
    assert (await ours.ask("ping"))["type"] == "pong"

    foreign = await connect(headers=FROM_PROXY | {"Origin": f"http://{host}"})
    assert await foreign.closed() == 4403


def test_what_commands_leave_behind_in_a_container_has_somebody_to_end_it() -> None:
    """An agent waits for its own commands only, so it must not be process 1."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    agents = [service for service in services.values() if "signalbox_agent" in service.get("command", [])]
    assert [service.get("init") for service in agents] == [True]


def test_compose_sets_only_variables_that_are_described() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ours = [service for service in services.values() if service["image"] == "signalbox"]
    assert len(ours) == 4
    for name in {name for service in ours for name in service["environment"]}:
        assert name.startswith("SIGNALBOX_") or name == "PYTHONPATH" or f"`{name}`" in DOCUMENT
