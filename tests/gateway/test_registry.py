"""Who is connected, counted across processes: limits hold, and the dead are forgotten."""

import asyncio
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from socket import gethostname

import pytest
from django.db import OperationalError
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.refusals import TooManyConnections, Unavailable
from apps.events.threads import in_reader, in_writer
from apps.gateway import registry
from apps.gateway.models import Connection as Row
from apps.gateway.models import ServerProcess
from tests.gateway.conftest import until
from tests.gateway.fakes import Client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def a_fresh_process(settings, monkeypatch):
    """Nobody is connected, and a user may have three connections."""
    monkeypatch.setattr(registry, "live", {})
    monkeypatch.setattr(registry, "_has_cleared", False)
    monkeypatch.setattr(registry, "_noted_at", None)
    monkeypatch.setattr(registry, "_still_on_the_books", set())
    settings.LIMITS = settings.LIMITS | {"connections_per_user": 3, "connections_per_key": 2}


def socket_of(who):
    actor = Actor(key=who) if hasattr(who, "prefix") else Actor(user=who)
    return Client("story.a", actor=actor).connection


async def enter(who):
    connection = socket_of(who)
    await registry.enter(connection)
    return connection


async def rows():
    return await in_reader(lambda: set(Row.objects.values_list("id", flat=True)))


def elsewhere(who, *, host="another", namespace=None, pid=1, seen_seconds_ago=0.0, connections=3):
    """A process with this user's connections."""
    seen_at = timezone.now() - timedelta(seconds=seen_seconds_ago)
    known_as = {"id": f"{host} {pid}", "host": host, "namespace": namespace or registry.namespace}
    process = ServerProcess.objects.create(**known_as, pid=pid, seen_at=seen_at)
    Row.objects.bulk_create(
        Row(id=f"{host} {pid} {n}", process=process, sender=f"user:{who.pk}", name="alice", user=who)
        for n in range(connections)
    )
    return process.pk


async def known():
    return await in_reader(lambda: set(ServerProcess.objects.values_list("id", flat=True)))


async def test_a_connection_is_written_down_and_taken_off(alice):
    connection = await enter(alice)
    assert registry.live == {connection.id: connection}
    row = await in_reader(Row.objects.get)
    assert (row.id, row.sender, row.name, row.user_id) == (connection.id, f"user:{alice.pk}", "alice", alice.pk)
    await registry.leave(connection)
    assert (registry.live, await rows()) == ({}, set())


async def test_one_more_than_a_user_may_have_is_refused_until_one_goes(alice, bob):
    connections = [await enter(alice) for _ in range(3)]
    with pytest.raises(TooManyConnections, match="3") as refused:
        await enter(alice)
    assert refused.value.retry_after == registry.COME_BACK_SECONDS
    await enter(bob)
    await registry.leave(connections[0])
    await enter(alice)
    assert len(registry.live) == len(await rows()) == 4


async def test_a_key_has_a_limit_of_its_own(agent_key):
    for _ in range(2):
        await enter(agent_key)
    with pytest.raises(TooManyConnections, match="2"):
        await enter(agent_key)


async def test_who_come_at_the_same_moment_are_written_together_and_counted_one_by_one(alice, bob, monkeypatch):
    groups = []
    store = registry._store

    def counted(group):
        groups.append(len(group))
        return store(group)

    monkeypatch.setattr(registry, "_store", counted)
    answers = await asyncio.gather(*[enter(who) for who in [alice, bob] * 10], return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, TooManyConnections)]
    assert (len(answers) - len(refused), len(refused)) == (6, 14)
    assert set(registry.live) == await rows()
    assert len(groups) <= 2, "a transaction each would take seconds"


async def test_leaving_and_coming_back_in_one_group_counts_as_one(alice):
    first = [await enter(alice) for _ in range(3)]
    await asyncio.gather(*[registry.leave(connection) for connection in first], *[enter(alice) for _ in range(3)])
    assert len(await rows()) == 3


async def test_somebody_who_left_before_being_counted_in_leaves_no_row(alice):
    connection = socket_of(alice)
    entering = asyncio.create_task(registry.enter(connection))
    await asyncio.sleep(0)
    entering.cancel()
    await asyncio.gather(entering, return_exceptions=True)
    await registry.leave(connection)
    assert (registry.live, await rows()) == ({}, set())


@pytest.fixture
def writer(monkeypatch):
    """The writer, held up until a test lets it go: `begun` is set when it has a group."""

    class Writer:
        begun, may_go = threading.Event(), threading.Event()

        def store(self, group):
            self.begun.set()
            assert self.may_go.wait(10)
            return store(group)

    store, writer = registry._store, Writer()
    monkeypatch.setattr(registry, "_store", writer.store)
    return writer


async def test_who_gives_up_while_the_row_waits_for_the_writer_leaves_none(alice, bob, writer):
    entering = [asyncio.create_task(enter(alice))]
    await asyncio.to_thread(writer.begun.wait, 10)
    entering += [asyncio.create_task(enter(who)) for who in (alice, bob)]
    await asyncio.sleep(0)
    for task in entering[:2]:
        task.cancel()
    await asyncio.gather(*entering[:2], return_exceptions=True)
    writer.may_go.set()
    his = await entering[2]
    await until(lambda: registry._writing is None)
    assert registry.live == {his.id: his}
    assert await rows() == {his.id}
    assert registry._still_on_the_books == set()


async def test_a_group_that_cannot_be_written_is_refused_and_the_next_one_is_not(alice, bob):
    ghost = socket_of(alice)
    ghost.actor = Actor(user=type(alice)(pk=987_654, username="nobody"))
    with pytest.raises(Unavailable):
        await registry.enter(ghost)
    await enter(bob)
    assert set(registry.live) == await rows()


async def test_a_connection_that_was_written_while_the_answer_was_lost_costs_nobody_a_place(alice, monkeypatch):
    store = registry._store

    def stored_and_lost(group):
        store(group)
        raise ConnectionError("the database has gone")

    with monkeypatch.context() as patched:
        patched.setattr(registry, "_store", stored_and_lost)
        for _ in range(3):
            with pytest.raises(Unavailable):
                await enter(alice)
    assert len(await rows()) == 3
    monkeypatch.setattr(registry, "GONE_AT_ONCE", 2)
    for left in (1, 0):
        await in_writer(registry.note_alive)
        assert len(await rows()) == len(registry._still_on_the_books) == left


# Other processes


async def test_who_left_while_the_database_was_away_is_counted_out_when_it_is_back(alice, monkeypatch):
    connection = await enter(alice)

    def away(*args):
        raise OperationalError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(registry, "_store", away)
        await registry.leave(connection)
    assert (registry.live, await rows()) == ({}, {connection.id})

    await in_writer(registry.note_alive)
    assert await rows() == set()
    assert registry._still_on_the_books == set()


async def test_connections_to_other_processes_count(alice):
    await in_writer(elsewhere, alice)
    with pytest.raises(TooManyConnections):
        await enter(alice)


async def test_a_process_that_was_not_seen_for_a_while_does_not_count_and_is_forgotten(alice):
    await in_writer(elsewhere, alice, seen_seconds_ago=registry.DEAD_AFTER_SECONDS + 1)
    connection = await enter(alice)
    assert await known() == {registry.process_id}
    assert await rows() == {connection.id}


async def test_it_does_not_count_even_before_it_is_forgotten(alice, bob):
    await enter(bob)
    await in_writer(elsewhere, alice, seen_seconds_ago=registry.DEAD_AFTER_SECONDS + 1)
    await enter(alice)


async def test_an_earlier_process_with_our_number_is_forgotten_at_once(alice):
    """After `kill -9` in a container every process is number 1 again."""
    await in_writer(elsewhere, alice, host=gethostname(), pid=os.getpid())
    await enter(alice)
    assert await known() == {registry.process_id}


async def test_a_process_of_this_host_that_ended_is_forgotten_at_once(alice):
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    await in_writer(elsewhere, alice, host=gethostname(), pid=ended.pid)
    await enter(alice)
    assert await known() == {registry.process_id}


async def test_a_process_of_this_host_that_runs_is_not(alice):
    other = await in_writer(elsewhere, alice, host=gethostname(), pid=os.getppid(), connections=1)
    await in_writer(registry.note_alive)
    assert await known() == {other, registry.process_id}


async def test_the_number_of_a_process_on_another_host_says_nothing(alice):
    other = await in_writer(elsewhere, alice, host="another", pid=os.getpid(), connections=1)
    await in_writer(registry.note_alive)
    assert await known() == {other, registry.process_id}


async def test_nor_does_one_of_another_container_that_calls_itself_the_same(alice):
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    other = await in_writer(elsewhere, alice, host=gethostname(), namespace="a container's", pid=ended.pid)
    await in_writer(registry.note_alive)
    assert await known() == {other, registry.process_id}


async def test_a_process_that_was_taken_for_dead_writes_its_connections_down_again(alice, bob):
    connections = [await enter(who) for who in (alice, alice, bob)]
    for sign in (registry.note_alive, lambda: registry._store([])):
        await in_writer(registry.forget_process)  # as another process does
        assert await rows() == set()
        await in_writer(sign)
        assert await rows() == {connection.id for connection in connections}
    await enter(alice)
    with pytest.raises(TooManyConnections):
        await enter(alice)


async def test_who_left_while_they_were_written_down_again_does_not_stay(alice, monkeypatch):
    staying, leaving = await enter(alice), await enter(alice)
    row_of = registry._row_of

    def and_meanwhile_it_left(connection):
        registry.live.pop(leaving.id, None)
        return row_of(connection)

    await in_writer(registry.forget_process)
    with monkeypatch.context() as patched:
        patched.setattr(registry, "_row_of", and_meanwhile_it_left)
        await in_writer(registry.note_alive)
    await in_writer(registry.note_alive)
    assert await rows() == {staying.id}


async def test_after_an_outage_the_others_get_their_chance(alice, bob, monkeypatch):
    await enter(bob)
    other = await in_writer(elsewhere, alice, seen_seconds_ago=registry.DEAD_AFTER_SECONDS + 1)
    with monkeypatch.context() as patched:
        patched.setattr(registry, "_noted_at", time.time() - registry.DEAD_AFTER_SECONDS - 1)
        await in_writer(registry.note_alive)
        assert await known() == {other, registry.process_id}
        await in_writer(registry.note_alive)
        assert await known() == {registry.process_id}


async def test_a_host_whose_clock_is_wrong_kills_nobody(alice, monkeypatch):
    connection = await enter(alice)
    other = await in_writer(elsewhere, alice, connections=1)
    monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(minutes=5))
    await in_writer(registry.note_alive)
    assert await known() == {other, registry.process_id}
    monkeypatch.undo()
    assert connection.id in await rows()
    seen_at = await in_reader(ServerProcess.objects.values_list("seen_at", flat=True).get, id=registry.process_id)
    assert abs(seen_at - timezone.now()) < timedelta(minutes=1)


async def test_a_connection_that_was_lost_while_they_were_written_costs_nobody_a_place(alice, monkeypatch):
    store = registry._store
    losses = [OperationalError("the connection is closed")]

    def stored_and_lost(group):
        refused = store(group)
        if losses:
            raise losses.pop()
        return refused

    monkeypatch.setattr(registry, "_store", stored_and_lost)
    for _ in range(3):
        await enter(alice)
    assert len(await rows()) == 3


async def test_a_process_that_ends_in_order_takes_its_connections_along(alice):
    await enter(alice)
    await in_writer(registry.forget_process)
    assert (await known(), await rows()) == (set(), set())
