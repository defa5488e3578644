"""Older history is read once for all who need it."""

import asyncio
from random import Random

from apps.events import log, store
from apps.events.store import Position
from apps.events.threads import in_reader
from apps.gateway import backlog, tail
from tests.gateway.conftest import start_hub, until
from tests.gateway.fakes import Client


async def test_a_thousand_readers_at_different_cursors_cost_three_reads(hub, topic, write):
    """As after a restart: nobody is in memory, everybody comes at once, and some are 500 events behind."""
    for i in range(6):
        await write(topic, *[f"{i}.{j}" for j in range(100)])
    await start_hub()
    log.reads.clear()
    random = Random(7)
    clients = [Client(topic) for _ in range(1_000)]
    for client in clients:
        client.cursor = client.base = random.randrange(100, 600)

    await asyncio.gather(*[client.follow_again() for client in clients])
    await until(lambda: all(client.apply() or client.cursor == 600 for client in clients), seconds=20)
    assert log.reads[str(topic)] <= 3
    for client in clients:
        assert sorted(client.copy) == list(range(client.base + 1, 601)) and client.resets == 0


async def test_readers_far_behind_share_their_pages(hub, topic, write, monkeypatch):
    monkeypatch.setattr(tail, "RING_EVENTS", 50)
    monkeypatch.setattr(backlog, "WARM_EVENTS", 50)
    for i in range(4):
        await write(topic, *[f"{i}.{j}" for j in range(400)])
    await start_hub()
    log.reads.clear()
    clients = [Client(topic) for _ in range(200)]
    await asyncio.gather(*[client.follow(after=0) for client in clients])
    await until(lambda: all(client.apply() or client.cursor == 1_600 for client in clients), seconds=20)
    assert log.reads[str(topic)] <= 6  # four pages, the warm ring, and one to spare
    assert all(client.texts == clients[0].texts for client in clients)


async def test_a_failed_read_fails_nobody_for_good(hub, topic, write, monkeypatch):
    await write(topic, *[str(i) for i in range(20)])
    await start_hub()
    original = backlog.log.read_before

    def gone(*args):
        raise OSError("the database is gone for a moment")

    monkeypatch.setattr(backlog.log, "read_before", gone)
    alice = Client(topic)
    await alice.follow(after=0)
    await until(lambda: alice.apply() or [answer["data"]["code"] for answer in alice.answers] == ["unavailable"])
    assert not alice.connection.readers

    monkeypatch.setattr(backlog.log, "read_before", original)
    await alice.follow(after=0)
    await until(lambda: alice.apply() or alice.cursor == 20)


async def test_pages_are_bounded_in_bytes(hub, topic, write, monkeypatch):
    monkeypatch.setattr(backlog, "BYTES_KEPT", 10_000)
    monkeypatch.setattr(backlog, "PAGE", 5)
    monkeypatch.setattr(tail, "RING_EVENTS", 1)
    monkeypatch.setattr(backlog, "WARM_EVENTS", 1)
    await write(topic, *["x" * 1_500 for _ in range(40)])
    alice = Client(topic)
    await alice.follow(after=0)
    await until(lambda: alice.apply() or alice.cursor == 40)
    kept = hub._followed[str(topic)].backlog
    assert 0 < kept._bytes <= 10_000


async def test_pages_of_large_events_come_short_and_nobody_misses_one(hub, topic, write, monkeypatch):
    monkeypatch.setattr(store, "PAGE_BYTES", 5_000)
    monkeypatch.setattr(backlog, "PAGE", 50)
    monkeypatch.setattr(tail, "RING_EVENTS", 1)
    monkeypatch.setattr(backlog, "WARM_EVENTS", 1)
    await write(topic, *["x" * (1_500 if 10 < i < 80 else 10) for i in range(120)])
    await start_hub()
    log.reads.clear()
    clients = [Client(topic) for _ in range(12)]
    for at, client in enumerate(clients):
        client.cursor = client.base = at * 10
    await asyncio.gather(*[client.follow_again() for client in clients])
    await until(lambda: all(client.apply() or client.cursor == 120 for client in clients), seconds=20)
    assert all(client.resets == 0 and len(client.copy) == 120 - client.base for client in clients)
    assert log.reads[str(topic)] < 12 * 70 / 4, "four large events fit on a page"


async def test_a_reader_of_large_events_reads_each_once(hub, topic, write, monkeypatch):
    monkeypatch.setattr(store, "PAGE_BYTES", 5_000)
    monkeypatch.setattr(tail, "RING_EVENTS", 1)
    monkeypatch.setattr(backlog, "WARM_EVENTS", 1)
    await write(topic, *["x" * 1_500 for _ in range(40)])
    await start_hub()
    log.reads.clear()
    alice = Client(topic)
    await alice.follow(after=0)
    await until(lambda: alice.apply() or alice.cursor == 40)
    assert log.reads[str(topic)] <= 40 / 4 + 2, "the pages, the warm ring, and one to spare"


async def test_a_page_of_the_life_before_becomes_no_frame_of_the_next(hub, topic, write, monkeypatch):
    await write(topic, *"abc")
    await Client(topic).follow()
    story = hub._followed[str(topic)]
    read = story.backlog._read

    async def and_then_it_starts_over(first):
        page = await read(first)
        story._start_over(Position(str(topic), "another", 3, 0))
        return page

    monkeypatch.setattr(story.backlog, "_read", and_then_it_starts_over)
    assert await story.backlog.frame_after(0, until=3) is None
    assert story.backlog._frames == {}


async def test_what_others_read_meanwhile_takes_no_page_from_who_waited_for_it(hub, topic, write, monkeypatch):
    monkeypatch.setattr(store, "PAGE_BYTES", 5_000)
    monkeypatch.setattr(tail, "RING_EVENTS", 1)
    monkeypatch.setattr(backlog, "WARM_EVENTS", 1)
    await write(topic, *["x" * 1_500 for _ in range(40)])
    hub = await start_hub()
    await Client(topic).follow()
    kept = hub._followed[str(topic)].backlog
    assert (await kept.frame_after(0, until=40)).last == 4

    cursors = range(4, 40)
    all_read = asyncio.Barrier(len(cursors))

    async def read_in_the_same_moment(*args):
        page = await in_reader(*args)
        await all_read.wait()
        return page

    monkeypatch.setattr(backlog, "in_reader", read_in_the_same_moment)
    async with asyncio.timeout(5):
        frames = await asyncio.gather(*[kept.frame_after(cursor, until=40) for cursor in cursors])
    assert [frame and frame.last for frame in frames] == [min(cursor + 4, 40) for cursor in cursors]
