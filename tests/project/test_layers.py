"""The channel layer of one process."""

import time

import pytest

from project.layers import OneProcessLayer


async def heard(layer, channel):
    """All that waits for this ear."""
    waiting = layer.channels[channel].qsize() if channel in layer.channels else 0
    return [(await layer.receive(channel))["n"] for _ in range(waiting)]


@pytest.fixture
async def ears():
    """(a layer that keeps three messages, two ears that have joined the group `all`)."""
    layer = OneProcessLayer(capacity=3)
    names = [await layer.new_channel("ear"), await layer.new_channel("ear")]
    for name in names:
        await layer.group_add("all", name)
    return layer, *names


async def test_what_is_said_to_a_group_each_of_it_hears_once_and_in_order(ears):
    layer, one, other = ears
    for n in range(3):
        await layer.group_send("all", {"n": n})
    await layer.group_send("nobody", {"n": 9})
    assert await heard(layer, one) == await heard(layer, other) == [0, 1, 2]


async def test_an_ear_that_is_full_keeps_nobody_else_from_hearing(ears):
    layer, full, other = ears
    for n in range(5):
        await layer.group_send("all", {"n": n})
        assert await heard(layer, other) == [n]
    assert await heard(layer, full) == [0, 1, 2]


async def test_nobody_is_forgotten_because_it_joined_long_ago(ears, monkeypatch):
    layer, one, other = ears
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + 30 * 86_400)
    await layer.group_send("all", {"n": 1})
    assert await heard(layer, one) == await heard(layer, other) == [1]


async def test_who_has_left_hears_no_more(ears):
    layer, one, other = ears
    await layer.group_discard("all", one)
    await layer.group_send("all", {"n": 1})
    assert (await heard(layer, one), await heard(layer, other)) == ([], [1])
