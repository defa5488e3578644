"""Pages of listed origins may ask with a token, at the client's addresses, and never with a cookie."""

from typing import Any

import pytest

from project.cors import with_cors

ELSEWHERE = "https://elsewhere.example"


async def ask(path: str, *, origin: str = ELSEWHERE, method: str = "GET", preflight: bool = False) -> dict[str, str]:
    """The headers of the answer; `status` among them."""
    headers = [(b"origin", origin.encode())]
    if preflight:
        method = "OPTIONS"
        headers.append((b"access-control-request-method", b"POST"))
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-from", b"application")]})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        sent.append(message)

    await with_cors(application)({"type": "http", "path": path, "method": method, "headers": headers}, None, send)
    return {"status": str(sent[0]["status"])} | {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.fixture(autouse=True)
def listed(settings: Any) -> None:
    settings.ALLOWED_ORIGINS = [ELSEWHERE]


@pytest.mark.parametrize(
    "path",
    ["/api/v1/events/", "/api/v1/frames/", "/api/v1/ws/ticket", "/api/v1/auth/token/", "/api/v1/auth/token/refresh/"],
)
async def test_the_clients_addresses_are_open_to_listed_origins(path: str) -> None:
    answer = await ask(path)
    assert answer["access-control-allow-origin"] == ELSEWHERE
    assert answer["x-from"] == "application"
    before = await ask(path, preflight=True)
    assert before["status"] == "204"
    assert "authorization" in before["access-control-allow-headers"]
    assert "x-from" not in before


async def test_no_cookie_is_let_through() -> None:
    for answer in (await ask("/api/v1/frames/"), await ask("/api/v1/frames/", preflight=True)):
        assert "access-control-allow-credentials" not in answer


@pytest.mark.parametrize("path", ["/", "/login/", "/admin/", "/api/v1/tasks/", "/x/api/v1/events/", "/metrics"])
async def test_everything_else_stays_closed(path: str) -> None:
    assert "access-control-allow-origin" not in await ask(path)


@pytest.mark.parametrize("origin", ["https://elsewhere.example.evil", "http://elsewhere.example", "null", ""])
async def test_other_origins_stay_outside(origin: str) -> None:
    assert "access-control-allow-origin" not in await ask("/api/v1/events/", origin=origin)
    assert (await ask("/api/v1/events/", origin=origin, preflight=True))["status"] == "200"


async def test_without_a_list_nothing_is_added(settings: Any) -> None:
    settings.ALLOWED_ORIGINS = []
    assert "vary" not in await ask("/api/v1/events/")
