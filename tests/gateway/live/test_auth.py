"""Who comes in, and how long they may stay."""

import asyncio
import time
from dataclasses import dataclass

import pytest

from tests.gateway.live.conftest import say

SETTINGS = {"AUTH_SECONDS": "0.7", "ALLOWED_ORIGINS": "https://pages.example:8443", "HEADS_CHECK_SECONDS": "1"}
pytestmark = pytest.mark.variants("sqlite")


@dataclass
class Bearer:
    """Somebody with a token of their own."""

    token: str


def short_lived(server, person, seconds):
    return Bearer(server.do("tests.support.seed:access_token", person.id, seconds=seconds))


def cookie(server, person):
    return {"Cookie": f"sessionid={server.do('tests.support.seed:session_cookie', person.id)}"}


def origin(server):
    return server.url


async def lived(socket):
    assert (await socket.ask("ping"))["type"] == "pong"


# Coming in


async def test_a_header_is_enough(alice, agent_key, connect):
    for who in (alice, agent_key):
        await lived(await connect(who))


async def test_the_first_frame_is_enough(alice, connect):
    socket = await connect()
    assert (await socket.ask("auth", token=alice.token))["type"] == "ack"
    welcome = (await socket.frame("connection_established"))["data"]
    assert welcome["user"]["id"] == alice.id and welcome["agent"] is False
    assert welcome["heartbeat_interval"] > 0 and welcome["limits"]["frame_bytes"] == 65536
    await lived(socket)


async def test_a_cookie_counts_from_our_own_pages_only(alice, server, connect):
    own = await connect(headers=cookie(server, alice), origin=origin(server))
    assert (await own.frame("connection_established"))["data"]["user"]["id"] == alice.id

    port = server.url.replace(str(server.port), "1")
    for other in ("https://127.0.0.1", port, server.url.replace("http:", "https:"), "http://evil.example", "null"):
        foreign = await connect(headers=cookie(server, alice), origin=other)
        assert (await foreign.frame("error"))["data"]["code"] == "forbidden", other
        assert await foreign.closed() == 4403


async def test_a_cookie_without_an_origin_says_nothing(alice, server, connect):
    """Any program can send one; it has to say who it is as every program does."""
    socket = await connect(headers=cookie(server, alice))
    assert await socket.closed(timeout=3) == 4408
    other = await connect(headers=cookie(server, alice))
    await other.ask("auth", token=alice.token)
    await lived(other)


async def test_an_allowed_origin_may_connect_with_a_token_but_not_with_a_cookie(alice, server, connect):
    await lived(await connect(alice, origin="https://pages.example:8443"))
    by_cookie = await connect(headers=cookie(server, alice), origin="https://pages.example:8443")
    assert await by_cookie.closed(timeout=3) == 4408


async def test_an_old_cookie_hurts_nobody(alice, server, connect):
    socket = await connect(headers={"Cookie": "sessionid=0123456789abcdef0123456789abcdef"}, origin=origin(server))
    await socket.ask("auth", token=alice.token)
    await lived(socket)


async def test_nobody_says_who_they_are(server, connect):
    started = time.monotonic()
    silent = await connect()
    assert await silent.closed(timeout=3) == 4408
    assert time.monotonic() - started < 2.5
    assert (await silent.frame("error"))["data"]["code"] == "unauthenticated"


async def test_frames_before_auth_are_refused_and_do_not_buy_time(alice, team, connect):
    socket = await connect()
    refused = await socket.ask("subscribe", team.topic)
    assert refused["data"]["code"] == "unauthenticated"
    assert await socket.closed(timeout=3) == 4408

    chatty = await connect()
    for _ in range(12):
        await chatty.send("junk")
    assert await chatty.closed(timeout=3) in (4400, 4408)


@pytest.mark.parametrize("token", ["", "nonsense", "a.b", "a.b.c", "x" * 5000, "é", "\0"])
async def test_wrong_credentials_are_turned_away(connect, token):
    socket = await connect()
    await socket.send({"type": "auth", "id": "1", "data": {"token": token}})
    assert await socket.closed(timeout=3) == 4401
    assert (await socket.frame("error"))["data"]["code"] == "unauthenticated"


async def test_a_wrong_header_is_turned_away(connect):
    socket = await connect(headers={"Authorization": "Bearer nonsense"})
    assert await socket.closed(timeout=3) == 4401


async def test_a_ticket_opens_one_socket(alice, server, api, connect):
    ticket = (await api(alice).post("/api/v1/ws/ticket")).json()["ticket"]
    first = await connect(path=f"/ws/?ticket={ticket}")
    assert (await first.frame("connection_established"))["data"]["user"]["id"] == alice.id
    second = await connect(path=f"/ws/?ticket={ticket}")
    assert await second.closed(timeout=3) == 4401


async def test_one_ticket_used_at_the_same_time_opens_one_socket(alice, api, connect):
    ticket = (await api(alice).post("/api/v1/ws/ticket")).json()["ticket"]
    sockets = await asyncio.gather(*[connect(path=f"/ws/?token={ticket}") for _ in range(4)])
    answers = await asyncio.gather(*[first_of(socket) for socket in sockets])
    assert sorted(answers) == ["connection_established"] + ["error"] * 3


async def first_of(socket):
    try:
        return (await socket.frame("connection_established"))["type"]
    except ConnectionError:
        return (await socket.frame("error"))["type"]


async def test_an_access_token_in_the_url_is_no_ticket(alice, connect):
    socket = await connect(path=f"/ws/?token={alice.token}")
    assert await socket.closed(timeout=3) == 4401


# Staying


async def test_an_expired_token_ends_its_socket_after_a_warning(alice, server, connect):
    socket = await connect(short_lived(server, alice, 3))
    started = time.monotonic()
    warning = await socket.frame("token_expiring", timeout=3)
    assert 0 <= warning["data"]["seconds"] <= 3
    assert await socket.closed(timeout=6) == 4401
    assert 1 < time.monotonic() - started < 5
    assert (await socket.frame("error"))["data"]["code"] == "unauthenticated"
    late = await connect(headers={"Authorization": f"Bearer {short_lived(server, alice, -1).token}"})
    assert await late.closed(timeout=3) == 4401


async def test_a_refreshed_token_keeps_the_socket(alice, bob, server, room, connect, api):
    socket = await connect(short_lived(server, bob, 3), follow=room.topic)
    await socket.frame("token_expiring", timeout=3)
    assert (await socket.ask("token_refresh", token=bob.token))["type"] == "ack"
    await asyncio.sleep(3)
    await say(api(alice), room.topic, "still here?")
    assert len(await socket.events(1)) == 1


async def test_a_token_of_somebody_else_refreshes_nothing(alice, bob, server, connect):
    socket = await connect(short_lived(server, bob, 3))
    assert (await socket.ask("token_refresh", token=alice.token))["data"]["code"] == "forbidden"
    assert (await socket.ask("token_refresh", token="nonsense"))["data"]["code"] == "unauthenticated"
    expired = short_lived(server, bob, -1).token
    assert (await socket.ask("token_refresh", token=expired))["data"]["code"] == "unauthenticated"
    assert await socket.closed(timeout=6) == 4401


async def test_a_token_in_a_later_auth_is_a_new_one(alice, bob, server, connect):
    socket = await connect(short_lived(server, bob, 3))
    assert (await socket.ask("auth", token=5))["data"]["code"] == "invalid"
    assert (await socket.ask("auth", token=bob.token))["type"] == "ack"
    await asyncio.sleep(3.5)
    assert (await socket.ask("ping"))["type"] == "pong"


async def test_auth_again_does_not_change_who_speaks(alice, bob, room, connect, api):
    socket = await connect(bob, follow=room.topic)
    assert (await socket.ask("auth", token=alice.token))["data"]["code"] == "forbidden"
    await socket.ask("message", room.topic, content="who am I?")
    assert (await socket.events(1))[0]["data"]["author"]["id"] == bob.id
