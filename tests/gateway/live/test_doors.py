"""The addresses: sockets that follow something from the start, and what the gateway says about itself."""

import pytest

from tests.gateway.live.conftest import say

SOCKETS = ["/ws/", "/api/v1/ws/connect", "/ws/chat", "/api/ws/chat/nonsense", "/ws/chat?session_id=nonsense"]


@pytest.mark.variants("sqlite")
async def test_every_address_is_the_same_socket(alice, room, connect):
    for path in SOCKETS[:3]:
        socket = await connect(alice, path=path)
        await socket.follow(room.topic)
        assert (await socket.ask("ping"))["type"] == "pong"
        await socket.close()


@pytest.mark.variants("sqlite")
@pytest.mark.parametrize("path", ["/nowhere", "/", "/ws", "/ws/nowhere", "/api/v1/events/"])
async def test_an_unknown_address_is_said_in_words(alice, connect, server, path):
    before = len(server.tail(10**7))
    socket = await connect(headers={"Authorization": f"Bearer {alice.token}"}, path=path)
    assert (await socket.frame("error"))["data"]["code"] == "unknown_address"
    assert await socket.closed() == 4404
    assert "Traceback" not in server.tail(10**7)[before:]


@pytest.mark.variants("sqlite")
async def test_a_chat_address_follows_its_session_from_the_start(alice, bob, mallory, room, connect, api):
    for path in (f"/ws/chat?session_id={room.id}", f"/api/ws/chat/{room.id}"):
        socket = await connect(bob, path=path)
        assert (await socket.frame("subscribed"))["topic"] == room.topic
        await say(api(alice), room.topic, "hello")
        assert len(await socket.events(1)) == 1

        stranger = await connect(mallory, path=path)
        assert (await stranger.frame("error"))["data"]["code"] == "not_found"
        assert (await stranger.ask("ping"))["type"] == "pong"
    for path in SOCKETS[3:]:
        lost = await connect(bob, path=path)
        assert (await lost.frame("error"))["data"]["code"] == "not_found"
        await lost.close()


@pytest.mark.variants("uvicorn-sqlite")
async def test_the_agents_of_a_user_are_followed_by_that_user_only(alice, bob, team, connect):
    socket = await connect(alice, path=f"/api/ws/agent-status/{alice.id}")
    assert (await socket.frame("subscribed"))["topic"] == team.topic
    other = await connect(bob, path=f"/api/ws/agent-status/{alice.id}")
    assert (await other.frame("error"))["data"]["code"] == "not_found"


@pytest.mark.variants("uvicorn-sqlite")
async def test_a_project_that_is_none_follows_nothing(alice, connect):
    for id in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        socket = await connect(alice, path=f"/ws/admin/agent-swarm/{id}")
        assert (await socket.ask("ping"))["type"] == "pong"


# What the gateway says about itself


async def test_health_is_for_everybody(api):
    assert (await api().get("/health")).json() == {"status": "ok"}
    for path in ("/api/health", "/api/ws/health"):
        ready = await api().get(path)
        assert (ready.status_code, ready.json()["status"]) == (200, "ok")
        assert set(ready.json()["checks"]) == {"database", "hub", "hub_lag_seconds", "channel_layer"}


async def test_stats_count_what_happens(alice, room, connect, api):
    before = (await api(alice).get("/api/v1/ws/stats")).json()["stats"]
    socket = await connect(alice, follow=room.topic)
    await socket.ask("message", room.topic, content="a")
    await socket.events(1)
    after = (await api(alice).get("/api/v1/ws/stats")).json()["stats"]
    assert after["total_connections"] == before["total_connections"] + 1
    assert after["current_connections"] >= 1
    assert after["messages_sent"] >= before["messages_sent"] + 1
    assert after["messages_received"] >= before["messages_received"] + 2
    assert (await api().get("/api/v1/ws/stats")).status_code == 401


async def test_connections_are_for_staff(alice, server, connect, api):
    await connect(alice)
    staff = server.do("tests.support.seed:make_user", f"staff-{alice.id}", staff=True)
    told = (await api(_Bearer(staff["token"])).get("/api/ws/connections")).json()
    mine = [row for row in told["connections"] if row["sender"] == f"user:{alice.id}"]
    assert len(mine) == 1 and mine[0]["address"] == "127.0.0.1"
    assert (await api(alice).get("/api/ws/connections")).status_code == 403
    assert (await api().get("/api/ws/connections")).status_code == 401


@pytest.mark.own_server(METRICS_TOKEN="measure")
@pytest.mark.variants("uvicorn-sqlite")
async def test_metrics_are_for_staff_and_for_who_has_the_token(alice, server, connect, api):
    await connect(alice)
    measured = await api(_Bearer("measure")).get("/metrics")
    assert measured.status_code == 200 and "signalbox_live_connections 1.0" in measured.text
    assert (await api().get("/metrics")).status_code == 404
    assert (await api(_Bearer("wrong")).get("/metrics")).status_code == 404
    assert (await api(alice).get("/metrics")).status_code == 404
    staff = server.do("tests.support.seed:make_user", "staff", staff=True)
    cookie = {"Cookie": f"sessionid={server.do('tests.support.seed:session_cookie', staff['id'])}"}
    assert (await api().get("/metrics", headers=cookie)).status_code == 200


class _Bearer:
    def __init__(self, token: str) -> None:
        self.token = token
