"""The server dies, Redis dies, clients stand still: nothing is lost, nothing comes twice."""

import asyncio
import time
from uuid import uuid4

import psutil
import pytest

from tests.gateway.live.conftest import contents, say, seqs, write_elsewhere

RESTART = 1012


async def keep_talking(api, alice, topic, count, said):
    """Post `count` messages, each until it is answered, with the same id every time."""
    client = api(alice)
    for number in range(count):
        id = uuid4().hex
        while True:
            try:
                answer = await client.send_frame("message", topic, id=id, content=f"line {number}")
            except Exception:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 200:
                said.append(answer.json()["data"]["seq"])
                break
            assert answer.status_code in (429, 503), answer.text
            await asyncio.sleep(0.05)


async def everything(connect, who, topic, count):
    """Follow `topic` through cuts, always from the own cursor, until `count` events were seen."""
    cursor, seen = 0, []
    while len(seen) < count:
        try:
            watcher = await connect(who, follow=topic, after=cursor)
            while len(seen) < count:
                event = (await watcher.events(1, timeout=5))[0]
                assert event["seq"] == cursor + 1, "a gap or a double"
                cursor = event["seq"]
                seen.append(event)
        except (ConnectionError, OSError, AssertionError, TimeoutError) as problem:
            if "a gap" in str(problem):
                raise
            await asyncio.sleep(0.2)
        except Exception:
            await asyncio.sleep(0.2)  # The handshake was cut.
    return seen


@pytest.mark.own_server(LIMIT_FRAMES_PER_SECOND="10000", LIMIT_CONNECTIONS_PER_USER="50")
async def test_a_killed_server_loses_nothing_and_repeats_nothing(alice, bob, room, connect, api, server):
    said = []
    talking = asyncio.create_task(keep_talking(api, alice, room.topic, 120, said))
    watching = asyncio.create_task(everything(connect, bob, room.topic, 121))
    while len(said) < 30:
        await asyncio.sleep(0.02)

    await asyncio.to_thread(server.kill9)
    await asyncio.to_thread(server.start)

    async with asyncio.timeout(60):
        await talking
        seen = await watching
    assert contents(seen) == [f"line {number}" for number in range(120)]
    assert said == sorted(set(said)), "an accepted message was lost or happened twice"
    assert await api(bob).events(room.topic) == seen


@pytest.mark.own_server()
@pytest.mark.variants("uvicorn")
async def test_a_server_that_ends_in_order_says_so_and_finishes_what_it_accepted(
    alice, bob, room, connect, api, server
):
    talker, watcher = await connect(alice), await connect(bob, follow=room.topic)
    ids = [await talker.send_frame("message", room.topic, id=uuid4().hex, content=f"line {n}") for n in range(5)]
    acked = [await talker.answer(id) for id in ids]

    code = await asyncio.to_thread(server.terminate)

    assert code == 0
    assert await watcher.closed() == RESTART
    assert seqs(await watcher.events(5)) == [ack["data"]["seq"] for ack in acked]
    await asyncio.to_thread(server.start)
    assert contents(await api(bob).events(room.topic)) == [f"line {n}" for n in range(5)]


@pytest.mark.own_server()
@pytest.mark.variants("postgres")
async def test_without_redis_nothing_is_lost_and_push_comes_back_with_it(alice, bob, room, connect, api, server):
    watcher = await connect(bob, follow=room.topic)
    await say(api(alice), room.topic, "before")
    await asyncio.to_thread(server.stop_redis)
    await say(api(alice), room.topic, "while it is gone")
    assert contents(await watcher.events(2, timeout=15)) == ["before", "while it is gone"]

    newcomer = await connect(alice, follow=room.topic, after=0)
    await newcomer.events(3, timeout=15)
    await asyncio.to_thread(server.start_redis)
    await say(api(alice), room.topic, "after")
    assert contents(await watcher.events(1, timeout=15)) == ["after"]
    assert contents(await newcomer.events(1, timeout=15)) == ["after"]

    # Push, not the look at the heads: that comes once a second.
    waits = []
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        started = time.monotonic()
        await say(api(alice), room.topic, "again")
        await watcher.events(1, timeout=5)
        waits.append(time.monotonic() - started)
        if len(waits) >= 5 and max(waits[-5:]) < 0.5:
            return
    pytest.fail(f"push did not come back: {waits[-10:]}")


@pytest.mark.own_server(LIMIT_CONNECTIONS_PER_USER="50")
async def test_a_reader_that_stands_still_costs_nothing_and_loses_nothing(alice, bob, room, connect, api, server):
    slow = await connect(bob, follow=room.topic, max_queue=1)
    await slow.pause()
    quick = await connect(alice, follow=room.topic)
    process = psutil.Process(server.pid)
    write_elsewhere(server, room.topic, "a first one")
    await quick.events(1)
    before = process.memory_info().rss
    text, count = "x" * 15_000, 2_000

    for _ in range(10):
        write_elsewhere(server, room.topic, *[text] * (count // 10))
        await quick.events(count // 10, timeout=20)

    grown = process.memory_info().rss - before
    # 30 MB went by; the ring and its frames may stay.
    assert grown < 24 * 1024 * 1024, f"{grown // 1024} KiB for a reader that stands still"
    started = time.monotonic()
    await say(api(alice), room.topic, "how long does it take the others?")
    await quick.events(1)
    assert time.monotonic() - started < 5

    slow.resume()
    late = await slow.events(count + 2, timeout=30)
    assert seqs(late) == list(range(2, count + 4))


async def test_writers_at_once_leave_no_hole_and_no_double(alice, bob, room, connect, api, server):
    watcher = await connect(bob, follow=room.topic)
    sockets = [await connect(alice) for _ in range(3)]
    ids = [f"{uuid4().hex}" for _ in range(8)]

    async def over_the_socket(socket):
        for id in ids:
            await socket.send_frame("message", room.topic, id=id, content=id)
        return [(await socket.answer(id))["data"].get("seq") for id in ids]

    def over_there():
        return write_elsewhere(server, room.topic, *[f"elsewhere {n}" for n in range(20)])

    answers = await asyncio.gather(*(over_the_socket(s) for s in sockets), asyncio.to_thread(over_there))
    first, second, third, _ = answers
    assert first == second == third, "the same frame on three sockets is one event"
    events = await watcher.events(28)
    assert seqs(events) == list(range(events[0]["seq"], events[0]["seq"] + 28))
    assert sorted(contents(events)) == sorted([*ids, *(f"elsewhere {n}" for n in range(20))])
