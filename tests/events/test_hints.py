"""Hints leave in order, nobody waits for them, and what everyone has to hear is said when the layer is back."""

import asyncio
import time

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.exceptions import RedisError

from apps.events import hints, log
from apps.events.log import Ear, hints_arrive


class Layer:
    """A channel layer that can be away, or hang."""

    def __init__(self):
        self.is_away = self.hangs = False
        self.sent = []

    async def _be_reached(self):
        if self.hangs:
            await asyncio.sleep(3600)
        if self.is_away:
            raise ConnectionError("there is nobody")

    async def new_channel(self, prefix):
        await self._be_reached()
        return prefix

    async def group_add(self, group, channel):
        await self._be_reached()

    async def group_send(self, group, hint):
        await self._be_reached()
        self.sent.append((group, hint["n"] if "n" in hint else hint["notice"]))


@pytest.fixture
def layer(monkeypatch):
    layer = Layer()
    monkeypatch.setattr(log, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(log, "_ears", [])
    monkeypatch.setattr(log, "SEND_SECONDS", 0.1)
    monkeypatch.setattr(hints, "SEND_AGAIN_SECONDS", 0.02)
    return layer


@pytest.fixture
async def ear(layer):
    ear = Ear()
    ear.start()
    yield ear
    ear.close()


@pytest.fixture
async def open_ear(layer, ear):
    await ear.open()
    layer.sent.clear()
    return ear


def say(*numbers, topic="story.a"):
    for n in numbers:
        log._say(topic, {"n": n})


def notify(*texts):
    for text in texts:
        log._say(None, {"notice": text})


async def until(true):
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)


async def test_hints_leave_in_order_from_any_thread(layer, open_ear):
    await asyncio.to_thread(say, 1, 2, 3)
    await until(lambda: len(layer.sent) == 3)
    assert layer.sent == [("topic.story.a", 1), ("topic.story.a", 2), ("topic.story.a", 3)]
    assert hints_arrive()


async def test_each_try_to_open_leaves_nothing_behind_in_a_redis_layer_that_is_away(ear):
    ear._layer = RedisPubSubChannelLayer(hosts=[{"address": "redis://127.0.0.1:1"}])
    for _ in range(3):
        with pytest.raises(RedisError):
            await ear.open()
    assert not ear._layer.channels


@pytest.mark.parametrize("how", ["hangs", "is_away"])
async def test_a_layer_that_was_never_there_keeps_nobody_waiting_and_is_told(layer, ear, how):
    setattr(layer, how, True)
    assert not hints_arrive(), "nobody hears yet"
    began = time.monotonic()
    await asyncio.to_thread(say, *range(100))
    assert time.monotonic() - began < log.SEND_SECONDS
    await until(lambda: ear.is_failing)
    setattr(layer, how, False)
    await ear.open()
    await until(hints_arrive)


async def test_what_everyone_has_to_hear_is_said_when_the_layer_is_back(layer, open_ear):
    layer.is_away = True
    say(1)
    await until(lambda: open_ear.is_failing)
    notify("alice is out", "bob is out")
    say(2)
    await asyncio.sleep(0.1)
    layer.is_away = False
    await until(lambda: len(layer.sent) >= 2)
    said = [notice for group, notice in layer.sent if group == hints.EVERYONE and notice]
    assert said == ["alice is out", "bob is out"]
    assert hints_arrive()


async def test_so_it_is_if_the_layer_went_while_it_was_said(layer, open_ear):
    layer.is_away = True
    notify("alice is out")
    say(1)
    await until(lambda: open_ear.is_failing)
    layer.is_away = False
    await until(lambda: layer.sent)
    say(2)
    await until(lambda: ("topic.story.a", 2) in layer.sent)
    assert layer.sent == [(hints.EVERYONE, "alice is out"), ("topic.story.a", 2)], "readers look for 1 themselves"


async def test_a_layer_that_is_back_is_known_to_be_before_there_is_anything_to_say(layer, open_ear):
    layer.is_away = True
    say(1)
    await until(lambda: not hints_arrive())
    layer.is_away = False
    await until(hints_arrive)


async def test_only_so_much_waits(layer, open_ear, monkeypatch):
    layer.is_away = True
    for n in range(hints.NOTICES_WAITING + 500):
        open_ear._enqueue(hints.EVERYONE, {"notice": str(n)})
    await until(lambda: open_ear.is_failing)
    layer.is_away = False
    await until(lambda: not open_ear._notices)
    assert len(layer.sent) == hints.NOTICES_WAITING


async def test_a_process_without_an_ear_says_it_itself_and_does_not_wait_for_long(layer):
    await asyncio.to_thread(say, 1)
    assert layer.sent == [("topic.story.a", 1)]
    layer.hangs = True
    began = time.monotonic()
    await asyncio.to_thread(say, 2)
    assert time.monotonic() - began < 20 * log.SEND_SECONDS
    assert hints_arrive(), "it is not one that serves"
