"""Who follows a topic: told to those who ask, across sockets, processes and crashes."""

import asyncio
import json
from typing import Any

import pytest
import uvloop

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.gateway import presence
from tests.gateway.conftest import until
from tests.gateway.fakes import Client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds become hundredths."""
    monkeypatch.setattr(presence, "SAY_EVERY_SECONDS", 0.02)
    monkeypatch.setattr(presence, "LEAVE_AFTER_SECONDS", 0.03)
    presence._rooms.clear()


def somebody(name: str, number: int) -> Actor:
    return Actor(user=User(pk=number, username=name))


async def looks(topic: object, name: str, number: int, **wish: Any) -> Client:
    """A socket of this person that follows the topic and asks who is there."""
    client = Client(topic, actor=somebody(name, number))
    data = {"presence": True} | wish
    await client.connection.take(json.dumps({"type": "subscribe", "id": "s", "topic": str(topic), "data": data}))
    return client


def names(client: Client) -> list[str]:
    client.apply()
    told = [whisper for whisper in client.whispers if whisper["type"] == "presence"]
    return [user["name"] for user in told[-1]["data"]["users"]] if told else []


async def test_it_tells_everybody_who_asked_who_is_there(hub, topic):
    hers = await looks(topic, "alice", 1)
    await until(lambda: names(hers) == ["alice"])
    his = await looks(topic, "bob", 2)
    await until(lambda: names(hers) == names(his) == ["alice", "bob"])


async def test_who_did_not_ask_hears_nothing_and_is_not_named(hub, topic):
    hers = await looks(topic, "alice", 1)
    his = Client(topic, actor=somebody("bob", 2))
    await his.follow()
    await until(lambda: names(hers) == ["alice"])
    await asyncio.sleep(0.05)
    assert names(his) == []
    assert names(hers) == ["alice"]


async def test_one_may_ask_later_and_stop_asking(hub, topic):
    his = Client(topic, actor=somebody("bob", 2))
    ask = {"type": "presence", "id": "p", "topic": str(topic)}
    await his.connection.take(json.dumps(ask))
    await asyncio.sleep(0)
    his.apply()
    assert his.answers[-1]["data"]["code"] == "not_found"

    await his.follow()
    await his.connection.take(json.dumps(ask))
    await until(lambda: names(his) == ["bob"])
    hers = await looks(topic, "alice", 1)
    await until(lambda: names(hers) == ["alice", "bob"])
    await his.connection.take(json.dumps(ask | {"data": {"on": False}}))
    await until(lambda: names(hers) == ["alice"])


async def test_who_had_no_room_hears_it_late_and_once(hub, topic):
    hers, his = await looks(topic, "alice", 1), await looks(topic, "bob", 2)
    await until(lambda: names(hers) == names(his) == ["alice", "bob"])
    his.whispers.clear()
    his.outlet.full = True
    for number, name in enumerate(("carol", "dave"), start=3):
        await looks(topic, name, number)
        await until(lambda name=name: name in names(hers))
    assert names(his) == []
    his.outlet.free(room=1)
    assert names(his) == names(hers) == ["alice", "bob", "carol", "dave"]
    assert len(his.whispers) == 1


async def test_who_leaves_while_there_is_no_room_hears_nothing_late(hub, topic):
    hers, his = await looks(topic, "alice", 1), await looks(topic, "bob", 2)
    await until(lambda: names(hers) == names(his) == ["alice", "bob"])
    his.whispers.clear()
    his.outlet.full = True
    await looks(topic, "carol", 3)
    await until(lambda: "carol" in names(hers))
    his.connection.unfollow(str(topic))
    his.outlet.free()
    assert names(his) == []


async def test_a_person_with_many_sockets_counts_once(hub, topic):
    first = await looks(topic, "alice", 1)
    second = await looks(topic, "alice", 1)
    await until(lambda: names(first) == names(second) == ["alice"])
    await first.connection.end()
    his = await looks(topic, "bob", 2)
    await until(lambda: names(his) == ["alice", "bob"])
    await second.connection.end()
    await until(lambda: names(his) == ["bob"])


async def test_a_reload_is_not_told(hub, topic, monkeypatch):
    monkeypatch.setattr(presence, "LEAVE_AFTER_SECONDS", 2.0)
    hers = await looks(topic, "alice", 1)
    his = await looks(topic, "bob", 2)
    await until(lambda: names(hers) == ["alice", "bob"])
    hers.whispers.clear()
    await his.connection.end()
    await looks(topic, "bob", 2)
    await asyncio.sleep(0.1)
    hers.apply()
    assert hers.whispers == []


async def test_a_thousand_readers_are_counted_with_twenty_names_and_few_whispers(hub, topic, monkeypatch):
    monkeypatch.setattr(presence, "SAY_EVERY_SECONDS", 1.0)
    hers = await looks(topic, "alice", 0)
    crowd = [await looks(topic, f"p{n:04}", n) for n in range(1, 1001)]
    presence._say(presence._rooms[str(topic)])
    await until(lambda: len(names(hers)) == 20)
    told = [whisper["data"]["count"] for whisper in hers.whispers]
    assert told[-1] == 1001
    assert len(told) <= 5
    for client in crowd:
        await client.connection.end()


async def test_what_another_process_told_counts_until_it_runs_out(hub, topic, monkeypatch):
    monkeypatch.setattr(presence, "TELL_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(presence, "HOLDS_SECONDS", 0.2)
    hers = await looks(topic, "alice", 1)
    told = {"topic": str(topic), "process": "another", "people": [[1, "alice"], [2, "bob"]], "more": 3}
    presence.hear({"presence": told})
    await until(lambda: names(hers) == ["alice", "bob"])
    assert hers.whispers[-1]["data"]["count"] == 5
    await until(lambda: names(hers) == ["alice"])
    assert hers.whispers[-1]["data"]["count"] == 1


async def test_nothing_is_left_when_everybody_has_gone(hub, topic):
    hers = await looks(topic, "alice", 1)
    await until(lambda: names(hers) == ["alice"])
    await hers.connection.end()
    await until(lambda: str(topic) not in presence._rooms)


async def seen(socket: Any, *expected: str, seconds: float = 20) -> None:
    """Wait until this socket was told exactly these people."""
    async with asyncio.timeout(seconds):
        while True:
            told = await socket.frame("presence", timeout=seconds)
            if [user["name"] for user in told["data"]["users"]] == list(expected):
                return


@pytest.mark.variants("sqlite")
def test_on_the_servers_own_loop_two_who_come_at_once_are_told_once(monkeypatch):
    """uvloop's handle for a moment that is now does not know its time."""
    told = []
    monkeypatch.setattr(presence, "_say", told.append)
    room = presence.Room("story.a")

    async def come() -> None:
        presence._plan(room, 0)
        presence._plan(room, 0)
        await asyncio.sleep(0.01)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(come())
    assert told == [room]


async def test_over_real_sockets_with_one_who_hangs_up(connect, team, alice, bob):
    hers, his = await connect(alice), await connect(bob)
    for socket in (hers, his):
        await socket.ask("subscribe", team.topic, presence=True)
    await seen(hers, alice.username, bob.username)
    await his.close()
    await seen(hers, alice.username)


@pytest.mark.own_server()
@pytest.mark.variants("uvicorn-postgres")
async def test_two_processes_tell_each_other_and_forget_one_that_was_killed(server, connect, team, alice, bob):
    from tests.support.clients import connect_to
    from tests.support.servers import LiveServer

    other = LiveServer(server.variant)
    other.env.update({name: server.env[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")})
    try:
        await asyncio.to_thread(other.start)
        hers = await connect(alice)
        await hers.ask("subscribe", team.topic, presence=True)
        his = await connect_to(other.ws_url, bob)
        await his.ask("subscribe", team.topic, presence=True)
        await seen(hers, alice.username, bob.username)
        await seen(his, alice.username, bob.username)
        other.kill9()
        await seen(hers, alice.username)
    finally:
        other.close()
