"""The server dies or is replaced in the middle of a stream: everybody comes back and has everything exactly once."""

import asyncio
import contextlib
import signal
import time
from uuid import uuid4

import httpx
import pytest

from tests.gateway.live.conftest import contents, say, seqs
from tests.support.clients import connect_to
from tests.support.processes import end


class Reader:
    """A client that keeps its cursor and comes back whenever the connection ends."""

    def __init__(self, server, who, topic):
        self.server, self.who, self.topic = server, who, topic
        self.cursor, self.epoch = 0, None
        self.said, self.codes, self.resets = [], [], 0

    async def read(self):
        while True:
            socket = None
            try:
                socket = await connect_to(self.server.ws_url, self.who)
                await socket.frame("connection_established")
                self.epoch = (await socket.follow(self.topic, self.cursor, self.epoch))["data"]["epoch"]
                while True:
                    [event] = await socket.events(1, timeout=60)
                    assert event["seq"] == self.cursor + 1
                    self.cursor = event["seq"]
                    self.said += contents([event])
            except (ConnectionError, OSError, TimeoutError):
                if socket is not None:
                    self.resets += socket._queues["type:reset"].qsize()
                    self.codes.append(socket.connection.close_code)
                await asyncio.sleep(0.05)
            except Exception as problem:  # the handshake met a server that is going
                if "websockets" not in type(problem).__module__:
                    raise
                await asyncio.sleep(0.05)
            finally:
                if socket is not None:
                    with contextlib.suppress(Exception):
                        await socket.close()


async def write_until_acked(client, topic, texts, acked):
    """Send each message under its own id until it is acked, as an outbox does."""
    for text in texts:
        id = uuid4().hex
        while True:
            try:
                answer = await client.send_frame("message", topic, id=id, content=text)
                if answer.status_code == 200:
                    acked[text] = answer.json()["data"]["seq"]
                    break
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)


async def stream_through(server, api, alice, bob, topic, interrupt, count=40):
    """Two writers and two readers while `interrupt` happens; the readers."""
    readers = [Reader(server, bob, topic) for _ in range(2)]
    reading = [asyncio.create_task(reader.read()) for reader in readers]
    acked = {}
    writing = [
        asyncio.create_task(write_until_acked(api(alice), topic, [f"{w}.{i}" for i in range(count)], acked))
        for w in "ab"
    ]
    try:
        while len(acked) < 15:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(interrupt)
        async with asyncio.timeout(60):
            await asyncio.gather(*writing)
            while any(len(reader.said) < 2 * count for reader in readers):
                await asyncio.sleep(0.02)
    finally:
        for task in (*reading, *writing):
            task.cancel()
        await asyncio.gather(*reading, *writing, return_exceptions=True)
    stored = server.do("tests.gateway.live.elsewhere:stored", topic)
    assert [seq for seq, _ in stored] == list(range(1, len(stored) + 1))
    said = [text for _, text in stored if text is not None]
    assert sorted(said) == sorted(f"{w}.{i}" for w in "ab" for i in range(count))
    assert {text: seq for seq, text in stored if text is not None} == acked
    for reader in readers:
        assert reader.said == said
        assert reader.resets == 0
    return readers


@pytest.mark.own_server()
async def test_killed_and_replaced_in_the_middle_of_a_stream(alice, bob, room, server, api):
    def kill():
        server.kill9()
        server.start()

    await stream_through(server, api, alice, bob, room.topic, kill)

    def replace():
        if server.variant.web == "uvicorn":
            assert server.terminate() == 0
        else:
            # daphne drops the requests it is at, and then waits for their threads without end.
            end(server._process, signal.SIGTERM, patience=3)
        server.start()

    other = (await api(alice).post("/api/v1/chat/sessions/", json={"title": "After"})).json()["topic"]
    await api(alice).send_frame("member:add", other, id=uuid4().hex, user_id=bob.id)
    readers = await stream_through(server, api, alice, bob, other, replace)
    if server.variant.web == "uvicorn":
        assert all(1012 in reader.codes for reader in readers)


@pytest.mark.own_server()
@pytest.mark.variants("uvicorn-sqlite")
async def test_what_was_acked_before_the_end_is_kept_and_what_was_sent_is_finished(bob, room, server, connect):
    """Frames that the server has read are carried out even though their sender hears no ack any more."""
    socket = await connect(bob)
    for i in range(5):
        await socket.send_frame("message", room.topic, id=f"m{i}", content=str(i))
    await socket.answer("m0")
    await asyncio.to_thread(server.terminate)
    assert await socket.closed() == 1012
    acked = {id.removeprefix("answer:") for id, q in socket._queues.items() if id.startswith("answer:m") and q.qsize()}
    server.start()

    again = await connect(bob, follow=room.topic, after=1)
    for i in range(5):
        assert (await again.ask("message", room.topic, id=f"m{i}", content=str(i)))["type"] == "ack"
    assert contents(await again.events(5)) == list("01234")
    assert acked <= {f"m{i}" for i in range(5)}


@pytest.mark.own_server(HEADS_CHECK_SECONDS="2")
@pytest.mark.variants("postgres")
async def test_redis_dies_and_comes_back(alice, bob, room, server, connect, api):
    watcher = await connect(bob, follow=room.topic, after=1)
    client = api(alice)
    await say(client, room.topic, "before")
    assert contents(await watcher.events(1)) == ["before"]

    server.stop_redis()
    for i in range(5):
        await say(client, room.topic, f"without {i}")
    assert contents(await watcher.events(5, timeout=10)) == [f"without {i}" for i in range(5)]
    other = (await client.post("/api/v1/chat/sessions/", json={"title": "Made without Redis"})).json()["topic"]
    late = await connect(alice, follow=room.topic, after=1)
    assert len(await late.events(6)) == 6
    fresh = await connect(alice, follow=other)
    await say(client, other, "on a topic first followed without Redis")
    assert len(await fresh.events(1, timeout=10)) == 1

    server.start_redis()
    for topic, reader in ((room.topic, watcher), (other, fresh)):
        quick = 0
        for i in range(120):
            started = time.monotonic()
            await say(client, topic, f"back {i}")
            assert contents(await reader.events(1, timeout=10)) == [f"back {i}"]
            quick = quick + 1 if time.monotonic() - started < 0.4 else 0
            await asyncio.sleep(0.1)  # ten messages a second is what one may send
            if quick == 8:
                break
        assert quick == 8, "push never worked again"
    stored = server.do("tests.gateway.live.elsewhere:stored", room.topic)
    assert seqs(await api(bob).events(room.topic)) == [seq for seq, _ in stored]


@pytest.mark.own_server()
@pytest.mark.variants("uvicorn-postgres")
async def test_a_server_that_starts_without_redis_serves_and_hears_of_it_later(alice, bob, room, server, connect, api):
    server.terminate()
    server.stop_redis()
    server.start()
    watcher = await connect(bob, follow=room.topic, after=1)
    await say(api(alice), room.topic, "without")
    assert contents(await watcher.events(1, timeout=10)) == ["without"]
    assert (await api().get("/health")).status_code == 200

    server.start_redis()
    for i in range(120):
        started = time.monotonic()
        await say(api(alice), room.topic, f"back {i}")
        await watcher.events(1, timeout=10)
        if i > 10 and time.monotonic() - started < 0.3:
            return
    raise AssertionError("push never worked")
