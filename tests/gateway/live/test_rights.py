"""Whoever loses a right loses the socket or the topic within a second, whichever process took the right away."""

import asyncio
import time
from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.conftest import Person
from tests.gateway.live.conftest import say

WITHIN = 1.5
"""Seconds: "within a second", and what a busy machine adds."""
elsewhere = pytest.mark.variants("postgres")
"""Another process can tell this one only with a channel layer that both use."""


@dataclass
class Bearer:
    """Somebody with a token of their own."""

    token: str


async def lived(socket):
    assert (await socket.ask("ping"))["type"] == "pong"


@elsewhere
async def test_a_deactivated_user_is_out_within_a_second(bob, room, server, connect):
    socket = await connect(bob, follow=room.topic)
    server.do("tests.gateway.live.elsewhere:deactivate", bob.id)
    assert await socket.closed(timeout=WITHIN) == 4440


async def test_a_logout_ends_the_sockets_of_that_login(alice, server, api, connect):
    both = []
    for _ in range(2):
        login = await api().post("/api/v1/auth/token/", json={"username": alice.username, "password": alice.password})
        both.append((login.json(), await connect(Bearer(login.json()["access"]))))
    (gone, socket), (_, other) = both
    out = await api(alice).post("/api/v1/auth/token/blacklist/", json={"refresh": gone["refresh"]})
    assert out.status_code < 300, out.text
    assert await socket.closed(timeout=WITHIN) == 4440
    await lived(other)


async def test_a_removed_member_loses_the_topic_and_keeps_the_socket(alice, bob, room, team, api, connect):
    socket = await connect(bob, follow=room.topic)
    await socket.follow(team.topic)
    polling = asyncio.create_task(api(bob).get("/api/v1/events/", params={"topic": room.topic, "after": 1, "wait": 5}))
    await asyncio.sleep(0.2)
    removed = await api(alice).send_frame("member:remove", room.topic, id=uuid4().hex, user_id=bob.id)
    assert removed.status_code == 200
    await say(api(alice), room.topic, "between us")
    started = time.monotonic()
    await lived(socket)
    told = await socket.frame("unsubscribed", timeout=70)
    assert told["topic"] == room.topic and time.monotonic() - started < WITHIN
    assert "between us" not in (await polling).text
    assert (await socket.ask("subscribe", room.topic))["data"]["code"] == "not_found"
    assert (await socket.ask("message", room.topic, content="a"))["data"]["code"] == "not_found"


async def test_who_leaves_the_team_loses_its_topic_within_a_second(alice, bob, team, api, connect):
    socket = await connect(bob, follow=team.topic)
    removed = await api(alice).delete(f"/api/v1/teams/{team.id}/members/{bob.id}/")
    assert removed.status_code == 204, removed.text
    started = time.monotonic()
    told = await socket.frame("unsubscribed", timeout=70)
    assert told["topic"] == team.topic and time.monotonic() - started < WITHIN
    await lived(socket)


@elsewhere
async def test_who_is_no_longer_staff_is_so_on_an_open_socket(team, server, connect):
    sam = Person(**server.do("tests.support.seed:make_user", f"sam-{uuid4().hex[:8]}", staff=True))
    socket = await connect(sam, follow=team.topic)
    assert (await socket.ask("notice:broadcast", "system", message="Hello"))["type"] == "ack"
    server.do("tests.gateway.live.elsewhere:take_staff_rights", sam.id)
    assert (await socket.frame("unsubscribed", timeout=WITHIN))["topic"] == team.topic
    refused = [
        await socket.ask("notice:broadcast", "system", message="Hello"),
        await socket.ask("subscribe", team.topic),
        await socket.ask("task:submit", team.topic, query="ls"),
    ]
    assert [answer["data"]["code"] for answer in refused] == ["forbidden", "not_found", "not_found"]


async def test_a_revoked_key_is_out_within_a_second(alice, agent_key, api, connect):
    socket = await connect(agent_key)
    revoked = await api(alice).post(f"/api/v1/api-keys/{agent_key.prefix}/revoke/")
    assert revoked.status_code < 300, revoked.text
    assert await socket.closed(timeout=WITHIN) == 4440


@elsewhere
async def test_a_key_revoked_elsewhere_is_out_within_a_second(agent_key, server, connect):
    socket = await connect(agent_key)
    server.do("tests.gateway.live.elsewhere:revoke_key", agent_key.prefix)
    assert await socket.closed(timeout=WITHIN) == 4440


@elsewhere
async def test_who_does_not_read_is_put_out_all_the_same(bob, room, server, connect):
    """A socket that takes nothing cannot be told anything, and is not allowed to stay for that."""
    socket = await connect(bob, follow=room.topic, max_queue=1)
    await socket.pause()
    for _ in range(4):
        server.do("tests.gateway.live.elsewhere:post", room.topic, [str(i) for i in range(100)], 60_000)
    await asyncio.sleep(1.5)
    server.do("tests.gateway.live.elsewhere:deactivate", bob.id)
    rows = [[1]]
    for _ in range(80):
        rows = server.do("tests.support.seed:sql", "SELECT id FROM gateway_connection WHERE user_id = %s", bob.id)
        if not rows:
            break
        await asyncio.sleep(0.1)
    assert rows == []
    with pytest.raises(Exception):  # noqa: B017
        for _ in range(5):
            await socket.connection.send("{}")
            await asyncio.sleep(0.1)
