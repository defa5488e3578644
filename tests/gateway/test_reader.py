"""One connection's place in one topic: level or behind, with or without credit."""

import asyncio

import pytest

from apps.events.store import Position
from apps.gateway import backlog, reader, tail
from tests.gateway.conftest import until
from tests.gateway.fakes import Client, FakeOutlet


@pytest.fixture
def credit(settings):
    """How many bytes may be on their way."""
    settings.LIMITS = settings.LIMITS | {"credit_bytes": 3_000}


async def test_without_received_a_server_with_backpressure_sends_all(hub, topic, write, credit):
    alice = Client(topic)
    await alice.follow()
    for _ in range(10):
        await write(topic, "x" * 1_000)
    await until(lambda: alice.apply() or alice.cursor == 10)


async def test_a_history_that_is_replaced_before_one_joins_is_told(hub, topic):
    outlet = FakeOutlet()
    reader, _, _ = await hub.follow(str(topic), outlet, after=None, epoch=None)
    reader.tail.start_over(Position(str(topic), "another", 7, 3))
    reader.join()
    [told] = outlet.taken()
    assert (told["type"], told["data"]["epoch"], told["data"]["head"]) == ("reset", "another", 7)
    assert reader.is_level


@pytest.mark.parametrize("has_backpressure", [True, False])
async def test_credit_stops_the_writer_and_received_lets_it_go_on(hub, topic, write, credit, has_backpressure):
    alice, bob = Client(topic, has_backpressure=has_backpressure), Client(topic)
    await alice.follow()
    await bob.follow()
    await alice.credit()
    for _ in range(20):
        await write(topic, "x" * 1_000)
    await until(lambda: bob.apply() or bob.cursor == 20)
    await asyncio.sleep(0.05)
    alice.apply()
    assert 3 <= alice.cursor <= 8
    for _ in range(20):
        await alice.credit()
        await asyncio.sleep(0.01)
    alice.apply()
    assert alice.cursor == 20


async def test_a_server_without_backpressure_needs_credit_from_the_first_byte(hub, topic, write, credit):
    alice = Client(topic, has_backpressure=False)
    await alice.follow()
    for _ in range(10):
        await write(topic, "x" * 1_000)
    await asyncio.sleep(0.05)
    alice.apply()
    assert alice.cursor < 8


async def test_odd_acknowledgements_break_nothing(hub, topic, write, credit):
    alice = Client(topic, has_backpressure=False)
    await alice.follow()
    for odd in (
        '{"%s": -5}',
        '{"%s": 99999999}',
        '{"%s": "x"}',
        '{"%s": null}',
        '{"%s": true}',
        '{"%s": 1.5}',
        '{"no.such": 4}',
    ):
        await alice.connection.take('{"type": "received", "data": %s}' % (odd % topic if "%s" in odd else odd))
    for _ in range(30):
        await write(topic, "x" * 1_000)
        await alice.credit()
    await until(lambda: alice.apply() or alice.cursor == 30)


async def test_who_falls_off_the_ring_reads_from_the_database(hub, topic, write, monkeypatch):
    monkeypatch.setattr(tail, "RING_EVENTS", 10)
    alice, bob = Client(topic), Client(topic)
    await alice.follow()
    await bob.follow()
    alice.outlet.full = True
    for i in range(60):
        await write(topic, *[f"{i}.{j}" for j in range(10)])
    await until(lambda: bob.apply() or bob.cursor == 600)
    alice.outlet.free()
    await until(lambda: alice.apply() or alice.cursor == 600)
    assert alice.copy == bob.copy and alice.resets == 0


async def test_history_that_is_pruned_under_a_slow_reader_is_a_reset_with_the_floor(hub, topic, write, monkeypatch):
    from apps.events.declare import Retention
    from apps.events.retention import prune
    from apps.events.threads import in_writer

    monkeypatch.setattr(tail, "RING_EVENTS", 10)
    alice = Client(topic)
    await alice.follow()
    alice.outlet.full = True
    await write(topic, *[str(i) for i in range(100)])
    await asyncio.sleep(0.05)
    await in_writer(prune, {"story": Retention(events=50)})
    for looked in (False, True):
        if looked:
            await hub.look()
        alice.outlet.free()
        await until(lambda: alice.apply() or alice.cursor == 100)
        assert alice.resets == 1
    assert alice.connection.readers[str(topic)].is_level


async def test_a_reader_above_the_new_floor_keeps_its_story(hub, topic, write, monkeypatch):
    """The page of the database that it needs begins below the floor, and it does not."""
    from apps.events.declare import Retention
    from apps.events.retention import prune
    from apps.events.threads import in_writer

    monkeypatch.setattr(tail, "RING_EVENTS", 10)
    await write(topic, *[str(i) for i in range(100)])
    alice, bob = Client(topic), Client(topic)
    await alice.follow(after=60)
    alice.outlet.full = True
    await write(topic, *[str(i) for i in range(100, 140)])
    await bob.follow()
    await in_writer(prune, {"story": Retention(events=100)})  # the floor is 40 now
    alice.outlet.free()
    await until(lambda: alice.apply() or alice.cursor == 140)
    assert alice.resets == 0 and len(alice.copy) == 80


async def test_a_database_that_fails_for_a_moment_costs_a_moment(hub, topic, write, monkeypatch):
    monkeypatch.setattr(tail, "RING_EVENTS", 10)
    monkeypatch.setattr(reader, "TRY_AGAIN_SECONDS", 0.02)
    failures = [1, 2, 3]

    def read_after(*args):
        if failures:
            failures.pop()
            raise OSError("the database is gone for a moment")
        return original(*args)

    original = backlog.log.read_after
    alice = Client(topic)
    await alice.follow()
    alice.outlet.full = True
    await write(topic, *[str(i) for i in range(100)])
    await asyncio.sleep(0.05)
    monkeypatch.setattr(backlog.log, "read_after", read_after)
    alice.outlet.free()
    await until(lambda: alice.apply() or alice.cursor == 100)
    assert alice.resets == 0 and not failures


async def test_who_leaves_gets_nothing_more(hub, topic, write):
    alice = Client(topic)
    await alice.follow()
    alice.connection.unfollow(str(topic))
    alice.connection.unfollow(str(topic))
    await write(topic, "a")
    await asyncio.sleep(0.05)
    assert alice.outlet.frames == []


async def test_leaving_while_behind_ends_the_catching_up(hub, topic, write):
    alice = Client(topic)
    await alice.follow()
    alice.outlet.full = True
    await write(topic, "a")
    await asyncio.sleep(0.05)
    await alice.connection.end()
    alice.outlet.free()
    await asyncio.sleep(0.02)
    assert alice.outlet.frames == []
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("catch-up")]
