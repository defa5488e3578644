"""The hub: hints, gaps, lives of a topic, and readers who know more than it does."""

import asyncio
from uuid import uuid4

import pytest
from channels.layers import InMemoryChannelLayer

from apps.events import log, store
from apps.events.declare import Retention
from apps.events.retention import prune
from apps.events.threads import in_reader, in_writer
from apps.gateway import backlog, followed
from apps.gateway import hub as hubs
from tests.events.story import PenMoved, StoryTopic
from tests.gateway.conftest import start_hub, story_of, until
from tests.gateway.fakes import Client


async def arrived(hub, count):
    await until(lambda: len(hub.held) == count)
    return hub.held


async def test_push_costs_no_read(hub, topic, write):
    alice = Client(topic)
    await alice.follow()
    log.reads.clear()
    for text in "abc":
        await write(topic, text)
    await until(lambda: alice.apply() or alice.texts == ["a", "b", "c"])
    assert log.reads[str(topic)] == 0


async def test_hints_in_any_order_make_one_story(hub, topic, write):
    alice = Client(topic)
    await alice.follow()
    hub.holding = True
    for text in "abcd":
        await write(topic, text)
    held = await arrived(hub, 4)
    for which in (3, 1, 1, 0, 3, 2):
        hub.deliver(held[which])
    await until(lambda: alice.apply() or alice.texts == list("abcd"))


async def test_a_gap_is_filled_once_for_all(hub, topic, write):
    clients = [Client(topic) for _ in range(50)]
    for client in clients:
        await client.follow()
    hub.holding = True
    for text in "abc":
        await write(topic, text)
    held = await arrived(hub, 3)
    log.reads.clear()
    hub.deliver(held[2])
    await until(lambda: all(client.apply() or client.texts == ["a", "b", "c"] for client in clients))
    assert log.reads[str(topic)] == 1


async def test_a_late_hint_that_comes_in_time_costs_no_read(hub, topic, write, monkeypatch):
    monkeypatch.setattr(followed, "REORDER_SECONDS", 0.2)
    alice = Client(topic)
    await alice.follow()
    hub.holding = True
    await write(topic, "a")
    await write(topic, "b")
    held = await arrived(hub, 2)
    log.reads.clear()
    hub.deliver(held[1])
    hub.deliver(held[0])
    await until(lambda: alice.apply() or alice.texts == ["a", "b"])
    await asyncio.sleep(0.3)
    assert log.reads[str(topic)] == 0


async def test_a_lost_last_hint_is_found_by_looking_at_the_heads(hub, topic, write, settings):
    alice = Client(topic)
    await alice.follow()
    hub.holding = True
    await write(topic, "a")
    await asyncio.sleep(0.05)
    alice.apply()
    assert alice.texts == []
    await hub.look()
    await until(lambda: alice.apply() or alice.texts == ["a"])


async def test_the_heads_are_looked_at_regularly(transactional_db, topic, write, settings):
    settings.HEADS_CHECK_SECONDS = 0.05
    hub = await start_hub()
    try:
        alice = Client(topic)
        await alice.follow()
        hub.holding = True
        await write(topic, "a")
        await until(lambda: alice.apply() or alice.texts == ["a"])
    finally:
        await hubs.stop()


async def test_a_hint_that_only_points_is_enough(hub, topic, write):
    alice = Client(topic)
    await alice.follow()
    texts = [str(i) * 60_000 for i in range(6)]
    await write(topic, *texts)
    await until(lambda: alice.apply() or alice.texts == texts)


@pytest.fixture
def reading(monkeypatch):
    """Each read of what is missing comes too early for what happens until its page is let go."""

    class Reading:
        pages = 0

        def __init__(self):
            self.may_go = asyncio.Event()

        async def __call__(self, *args):
            page = await in_reader(*args)
            self.pages += 1
            await self.may_go.wait()
            return page

    reading = Reading()
    monkeypatch.setattr(followed, "in_reader", reading)
    return reading


async def test_what_is_only_pointed_to_while_a_gap_is_filled_is_read_too(hub, topic, write, reading):
    alice = Client(topic)
    await alice.follow()
    hub.holding = True
    for count, text in enumerate("ab", start=1):
        await write(topic, text)
        [*_, hint] = await arrived(hub, count)
        hub.deliver(hint | {"frames": []})
        await until(lambda: reading.pages == 1)
    reading.may_go.set()
    await until(lambda: alice.apply() or alice.texts == ["a", "b"])
    assert reading.pages == 2


async def test_a_new_life_of_which_one_hears_while_a_gap_is_filled_is_not_overlooked(hub, topic, write, reading):
    alice = Client(topic)
    await alice.follow()
    before = alice.epoch
    hub.holding = True
    await write(topic, "a")
    [hint] = await arrived(hub, 1)
    hub.deliver(hint | {"frames": []})
    await until(lambda: reading.pages == 1)
    await in_writer(store.start_epoch, [str(topic)])
    await write(topic, "b")
    [_, hint] = await arrived(hub, 2)
    hub.deliver(hint)
    reading.may_go.set()
    await until(lambda: alice.apply() or alice.epoch != before)
    assert (alice.resets, alice.cursor) == (1, 2)


async def test_a_new_epoch_resets_all_readers(hub, topic, write):
    alice, slow = Client(topic), Client(topic)
    await alice.follow()
    await slow.follow()
    slow.outlet.full = True
    await write(topic, "a", "b")
    await until(lambda: alice.apply() or alice.cursor == 2)
    before = alice.epoch
    await in_writer(store.start_epoch, [str(topic)])
    await write(topic, "c")
    slow.outlet.free()
    for client in (alice, slow):
        await until(lambda c=client: c.apply() or (c.epoch != before and c.cursor == 3))
        assert client.resets == 1


async def test_a_database_that_knows_less_than_was_shown_was_restored(hub, topic, write):
    alice = Client(topic)
    await alice.follow()
    await write(topic, *"abcde")
    await until(lambda: alice.apply() or alice.cursor == 5)
    before = alice.epoch

    def restore():
        store.StoredEvent.objects.filter(topic=str(topic), seq__gt=2).delete()
        store.Head.objects.filter(topic=str(topic)).update(seq=2)

    await in_writer(restore)
    await hub.look()
    await until(lambda: alice.apply() or alice.epoch != before)
    assert alice.cursor == 2
    await write(topic, "another c")
    await until(lambda: alice.apply() or alice.texts == ["another c"])


async def test_pruning_below_a_tail_that_missed_hints_is_a_reset(hub, topic, write):
    alice = Client(topic)
    await alice.follow()
    hub.holding = True
    await write(topic, *"abcd")
    await in_writer(prune, {"story": Retention(events=0)})
    await hub.look()
    await until(lambda: alice.apply() or alice.cursor == 4)
    assert alice.resets == 1


async def test_pruning_under_a_level_reader_changes_nothing(hub, topic, write):
    alice = Client(topic)
    await alice.follow()
    await write(topic, *"abcd")
    await until(lambda: alice.apply() or alice.cursor == 4)
    await in_writer(prune, {"story": Retention(events=1)})
    await hub.look()
    await write(topic, "e")
    await until(lambda: alice.apply() or alice.cursor == 5)
    assert alice.resets == 0


async def test_a_reader_who_knows_more_than_the_hub_is_believed_if_the_database_agrees(hub, topic, write):
    follower, ahead, liar = Client(topic), Client(topic), Client(topic)
    await follower.follow()
    hub.holding = True
    await write(topic, "a", "b")
    epoch = (await in_reader(store.position, str(topic))).epoch

    ahead.cursor, ahead.epoch = 2, epoch
    await ahead.follow_again()
    assert ahead.resets == 0
    await until(lambda: follower.apply() or follower.texts == ["a", "b"])

    liar.cursor, liar.epoch = 7, epoch
    await liar.connection.take(
        f'{{"type": "subscribe", "id": "1", "topic": "{topic}", "data": {{"after": 7, "epoch": "{epoch}"}}}}'
    )
    assert [message["type"] for message in liar.outlet.taken()] == ["reset", "subscribed"]


async def test_hints_that_arrive_while_a_topic_is_looked_up_are_kept(hub, topic, write, monkeypatch):
    """Between joining the group and knowing where the topic stands, an event is stored and told."""
    position = store.position

    def slow_position(name):
        found = position(name)
        import time

        time.sleep(0.1)
        return found

    monkeypatch.setattr(hubs.store, "position", slow_position)
    alice = Client(topic)
    following = asyncio.create_task(alice.follow(after=0))
    await asyncio.sleep(0.03)
    await write(topic, "a")
    await following
    await until(lambda: alice.apply() or alice.texts == ["a"])


async def test_a_topic_without_events_has_an_epoch_for_its_first_reader(hub, topic, write):
    alice = Client(topic)
    await alice.follow(after=0)
    epoch = alice.epoch
    assert epoch
    await write(topic, "a")
    await until(lambda: alice.apply() or alice.texts == ["a"])
    assert (await in_reader(store.position, str(topic))).epoch == epoch


async def test_many_who_come_at_once_start_one_tail(hub, topic, write):
    await write(topic, "a")
    clients = [Client(topic) for _ in range(20)]
    await asyncio.gather(*[client.follow(after=0) for client in clients])
    tails = {id(client.connection.readers[str(topic)].tail) for client in clients}
    assert len(tails) == 1 and hub.topics == 1


async def test_a_tail_lingers_and_then_goes(hub, topic, write, monkeypatch):
    monkeypatch.setattr(hubs, "LINGER_SECONDS", 0.05)
    alice = Client(topic)
    await alice.follow()
    alice.connection.unfollow(str(topic))
    assert hub.topics == 1
    await alice.follow()
    await asyncio.sleep(0.1)
    assert hub.topics == 1
    alice.connection.unfollow(str(topic))
    await until(lambda: hub.topics == 0)
    await write(topic, "a")
    await alice.follow()
    await write(topic, "b")
    await until(lambda: alice.apply() or alice.texts == ["b"])


async def test_who_could_not_follow_leaves_no_trace(hub, topic, write, monkeypatch):
    await write(topic, "a")
    alice = Client(topic)
    monkeypatch.setattr(hubs, "LINGER_SECONDS", 0.01)

    async def broken(self):
        raise OSError("the database is gone")

    monkeypatch.setattr(backlog.Backlog, "warm", broken)
    await alice.follow(after=0)
    await until(lambda: alice.apply() or alice.answers)
    assert alice.answers[-1]["data"]["code"] == "unavailable"
    await until(lambda: hub.topics == 0)


async def test_who_gives_up_before_the_topic_is_found_leaves_no_trace(hub, topic, monkeypatch):
    monkeypatch.setattr(hubs, "LINGER_SECONDS", 0.01)
    waiting = asyncio.create_task(hub.wait(str(topic), after=0, seconds=20))
    while not hub._starting:
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await until(lambda: not hub._starting)
    await until(lambda: hub.topics == 0)


async def test_a_topic_that_cannot_be_found_is_not_listened_to(hub, topic, write, monkeypatch):
    def away(name):
        raise OSError("the database is gone")

    alice = Client(topic)
    with monkeypatch.context() as patched:
        patched.setattr(store, "position", away)
        await alice.follow()
    await until(lambda: alice.apply() or alice.answers)
    assert alice.answers[-1]["data"]["code"] == "unavailable"
    assert log._group(str(topic)) not in hub._ear._layer.groups
    await alice.follow()
    log.reads.clear()
    await write(topic, "a")
    await until(lambda: alice.apply() or alice.texts == ["a"])
    assert log.reads[str(topic)] == 0, "it is listened to again"


async def test_a_whisper_is_heard_and_not_kept(hub, topic, write):
    alice, stranger = Client(topic), Client(StoryTopic(key=uuid4().hex))
    await alice.follow()
    await stranger.follow()
    await in_writer(log.whisper, topic, PenMoved(at=4))
    await until(lambda: alice.apply() or alice.whispers)
    stranger.apply()
    assert alice.whispers[0]["data"] == {"at": 4} and stranger.whispers == []
    assert await story_of(topic) == []


async def test_notices_reach_every_process(transactional_db, monkeypatch):
    heard = []
    monkeypatch.setattr(hubs, "_on_notice", [heard.append])
    await hubs.stop()
    await hubs.current()
    try:
        await in_writer(log.notify, {"say": "hello"})
        await until(lambda: heard == [{"say": "hello"}])
    finally:
        await hubs.stop()


async def test_a_hub_that_could_not_start_is_tried_again(transactional_db, monkeypatch):
    await hubs.stop()
    start = hubs.Hub.start

    async def broken(self):
        raise OSError("not now")

    monkeypatch.setattr(hubs.Hub, "start", broken)
    for _ in range(2):
        try:
            await hubs.current()
        except OSError:
            pass
        else:
            raise AssertionError("it cannot have started")
    monkeypatch.setattr(hubs.Hub, "start", start)
    assert await hubs.current() is hubs.running()
    await hubs.stop()


async def comes_without_a_read(alice, topic, write, text):
    expected = [*alice.texts, text]
    log.reads.clear()
    await write(topic, text)
    await until(lambda: alice.apply() or alice.texts == expected)
    assert log.reads[str(topic)] == 0


class LateLayer(InMemoryChannelLayer):
    """A channel layer that cannot be reached at first."""

    is_away = True
    asked = 0

    async def new_channel(self, *args):
        self.asked += 1
        if self.is_away:
            raise ConnectionError("there is nobody")
        return await super().new_channel(*args)

    async def group_send(self, *args):
        if self.is_away:
            await asyncio.sleep(60)
        await super().group_send(*args)


async def test_a_layer_that_comes_late_is_joined_and_until_then_nobody_waits_for_it(
    transactional_db, topic, write, settings, monkeypatch
):
    layer = LateLayer()
    monkeypatch.setattr(log, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(hubs, "LAYER_SECONDS", 0.1)
    monkeypatch.setattr(hubs, "OPEN_AGAIN_SECONDS", 0.02)
    monkeypatch.setattr(hubs, "JOIN_AGAIN_SECONDS", 0.02)
    monkeypatch.setattr(log, "SEND_SECONDS", 0.2)
    settings.HEADS_CHECK_SECONDS = 0.05
    hub = await start_hub()
    try:
        alice = Client(topic)
        await alice.follow()
        async with asyncio.timeout(3):
            await write(topic, "a")
            await until(lambda: alice.apply() or alice.texts == ["a"])
        assert not log.hints_arrive()

        settings.HEADS_CHECK_SECONDS = 3600
        layer.is_away = False
        await until(lambda: log.hints_arrive() and hub._followed[str(topic)].hears)
        await asyncio.sleep(0.1)
        await comes_without_a_read(alice, topic, write, "b")
    finally:
        await hubs.stop()


class LostLayer(InMemoryChannelLayer):
    """A channel layer from which nothing is heard for a while."""

    is_away = False

    async def receive(self, channel):
        if self.is_away:
            raise ConnectionError("the connection was lost")
        return await super().receive(channel)


async def test_a_layer_that_is_lost_is_told_of_once_and_heard_again(
    transactional_db, topic, write, settings, monkeypatch, caplog
):
    layer = LostLayer()
    monkeypatch.setattr(log, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(hubs, "HEAR_AGAIN_SECONDS", 0.01)
    settings.HEADS_CHECK_SECONDS = 3600
    await start_hub()
    try:
        alice = Client(topic)
        await alice.follow()
        layer.is_away = True
        await write(topic, "a")  # the last that is heard
        await until(lambda: alice.apply() or alice.texts == ["a"])
        await asyncio.sleep(0.1)
        said = [record for record in caplog.records if record.name == hubs.__name__]
        assert [(record.levelname, record.getMessage(), record.exc_info) for record in said if record.levelno > 10] == [
            ("WARNING", "No hints come in; heads alone tell what is new: ConnectionError the connection was lost", None)
        ]

        layer.is_away = False
        await comes_without_a_read(alice, topic, write, "b")
    finally:
        await hubs.stop()
