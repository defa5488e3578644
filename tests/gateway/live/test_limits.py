"""Limits: first a word with the seconds to wait, then the door."""

import asyncio
import json
import time

import pytest

from tests.gateway.live.conftest import say
from tests.support.clients import connect_to

SETTINGS = {
    "LIMIT_CONNECTIONS_PER_USER": "3",
    "LIMIT_TOPICS": "3",
    "LIMIT_FRAMES_PER_SECOND": "30",
    "LIMIT_FRAME_BYTES": "2000",
}
pytestmark = pytest.mark.variants("sqlite")


async def test_one_connection_too_many_is_turned_away(alice, bob, connect):
    mine = [await connect(alice) for _ in range(3)]
    fourth = await connect(headers={"Authorization": f"Bearer {alice.token}"})
    assert await fourth.closed() == 4409
    error = (await fourth.frame("error"))["data"]
    assert error["code"] == "too_many_connections" and error["retry_after"] > 0
    await connect(bob)

    await mine[0].close()
    for _ in range(50):
        again = await connect(headers={"Authorization": f"Bearer {alice.token}"})
        try:
            await again.frame("connection_established")
            break
        except ConnectionError:
            await asyncio.sleep(0.05)
    else:
        raise AssertionError("the slot of a closed connection was never free again")


async def test_many_at_once_do_not_slip_through(alice, connect):
    sockets = await asyncio.gather(*[connect(headers={"Authorization": f"Bearer {alice.token}"}) for _ in range(12)])

    async def came_in(socket):
        try:
            await socket.frame("connection_established")
            return True
        except ConnectionError:
            assert await socket.closed() == 4409
            return False

    assert sum(await asyncio.gather(*[came_in(socket) for socket in sockets])) == 3


async def test_an_abandoned_socket_frees_its_slot(alice, connect):
    """No close frame, only a link that breaks."""
    for _ in range(3):
        socket = await connect(alice)
        socket.connection.transport.abort()
    for _ in range(50):
        again = await connect(headers={"Authorization": f"Bearer {alice.token}"})
        try:
            await again.frame("connection_established")
            return
        except ConnectionError:
            await asyncio.sleep(0.1)
    raise AssertionError("the slots of broken connections were never free again")


async def test_too_many_frames_are_refused_with_the_time_to_wait_and_then_cut_off(alice, connect):
    socket = await connect(alice)
    for i in range(45):
        await socket.send({"type": "ping", "id": f"p{i}"})
    error = (await socket.frame("error"))["data"]
    assert error["code"] == "too_fast" and 0 < error["retry_after"] <= 1
    await asyncio.sleep(error["retry_after"] + 0.1)
    assert (await socket.ask("ping"))["type"] == "pong"

    try:
        for i in range(500):
            await socket.send({"type": "ping", "id": f"q{i}"})
    except Exception:
        pass
    assert await socket.closed() == 4429


async def test_a_type_has_a_rate_of_its_own(alice, room, connect):
    socket = await connect(alice, follow=room.topic)
    answers = [await socket.ask("typing", room.topic, active=True) for _ in range(8)]
    refused = [a["data"] for a in answers if a["type"] == "error"]
    assert 1 <= len(refused) <= 3 and refused[0]["code"] == "too_fast"
    assert 0 < refused[0]["retry_after"] <= 0.3
    assert (await socket.ask("message", room.topic, content="another type"))["type"] == "ack"


async def test_over_http_it_is_the_same_rate(alice, room, api):
    frames = [{"type": "typing", "id": str(n), "topic": room.topic, "data": {"active": True}} for n in range(15)]
    answers = (await api(alice).post("/api/v1/frames/", json=frames)).json()
    refused = [answer["data"] for answer in answers if answer["type"] == "error"]
    assert len(refused) >= 5 and {refusal["code"] for refusal in refused} == {"too_fast"}
    assert 0 < refused[0]["retry_after"] <= 0.2
    assert (await api(alice).send_frame("message", room.topic, content="another type")).status_code == 200


async def test_one_topic_too_many_is_refused(alice, room, team, connect, api):
    others = [(await api(alice).post("/api/v1/chat/sessions/", json={"title": "x"})).json()["topic"] for _ in range(3)]
    socket = await connect(alice, follow=room.topic)
    await socket.follow(team.topic)
    await socket.follow(others[0])
    assert (await socket.ask("subscribe", others[1]))["data"]["code"] == "too_fast"
    await socket.follow(room.topic)  # one that is followed already is no other
    await socket.ask("unsubscribe", others[0])
    await socket.follow(others[1])


async def test_a_size_is_in_bytes(alice, connect):
    socket = await connect(alice)
    for text in ("x" * 2_001, "☃" * 700):
        await socket.connection.send(json.dumps({"type": "ping", "id": "1", "x": text}, ensure_ascii=False))
        assert (await socket.frame("error"))["data"]["code"] == "too_large"


@pytest.mark.own_server(LIMIT_CONNECTIONS_PER_USER="2")
@pytest.mark.variants("sqlite")
async def test_after_a_kill_the_slots_are_free_at_once(alice, server, connect):
    for _ in range(2):
        await connect(alice)
    server.kill9()
    server.start()
    for _ in range(2):
        await connect(alice)
    third = await connect(headers={"Authorization": f"Bearer {alice.token}"})
    assert await third.closed() == 4409


@pytest.mark.own_server(LIMIT_CONNECTIONS_PER_USER="4")
@pytest.mark.variants("uvicorn-postgres")
async def test_two_servers_on_one_database_count_together(alice, bob, room, server, connect, api):
    """And what is said at one is heard at the other, by push."""
    there = []
    with server.beside() as other:
        for url in (server.ws_url, other.ws_url) * 2:
            there.append(await connect_to(url, bob))
            await there[-1].frame("connection_established")
        for url in (server.ws_url, other.ws_url):
            there.append(await connect_to(url, bob))
            assert await there[-1].closed() == 4409

        for socket in there[:4]:
            await socket.follow(room.topic)
        started = time.monotonic()
        await say(api(alice), room.topic, "heard everywhere")
        for socket in there[:4]:
            assert (await socket.events(1))[0]["data"]["content"] == "heard everywhere"
        assert time.monotonic() - started < 0.9  # not by the look at the heads

        other.kill9()
        for _ in range(150):
            there.append(await connect_to(server.ws_url, bob))
            try:
                await there[-1].frame("connection_established")
                break
            except ConnectionError:
                await asyncio.sleep(0.1)
        else:
            raise AssertionError("the slots of the killed server were never free again")
    for socket in there:
        await socket.close()
