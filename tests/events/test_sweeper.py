"""What has to be looked at again and again."""

import asyncio
import time
from contextlib import suppress

import pytest
from django.db import OperationalError, connection

from apps.events import sweeper
from apps.events.sweeper import sweep_forever, sweeps

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture(autouse=True)
def only_mine(monkeypatch):
    monkeypatch.setattr(sweeper, "_sweeps", {})


async def sweep_for(seconds):
    task = asyncio.create_task(sweep_forever())
    await asyncio.sleep(seconds)
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_sweep_comes_again_when_it_is_due():
    often, seldom = [], []
    sweeps(seconds=0.2)(lambda: often.append(time.monotonic()))

    @sweeps(seconds=60)
    def rarely():
        seldom.append(1)

    await sweep_for(1.1)
    assert 3 <= len(often) <= 6
    assert len(seldom) == 1


async def test_a_sweep_with_more_to_do_comes_again_soon_and_lets_others_in():
    turns = []

    @sweeps(seconds=60)
    def long_one():
        turns.append("long")
        return turns.count("long") < 3

    sweeps(seconds=0.1)(lambda: turns.append("short"))
    await sweep_for(1.6)
    assert turns.count("long") == 3
    assert turns.index("short") < len(turns) - 1 - turns[::-1].index("long")


async def test_a_sweep_that_fails_hurts_no_other():
    swept = []

    @sweeps(seconds=0.1)
    def broken():
        raise RuntimeError("a bug in a feature")

    @sweeps(seconds=0.1)
    def good():
        swept.append(connection.in_atomic_block)

    await sweep_for(0.7)
    assert len(swept) >= 2 and all(swept)


async def test_a_sweep_for_which_the_database_had_no_time_comes_again_soon(monkeypatch):
    monkeypatch.setattr(sweeper, "AGAIN_SECONDS", 0.1)
    tries = []

    @sweeps(seconds=3600)
    def hourly():
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("the connection is closed")

    await sweep_for(0.8)
    assert len(tries) == 2
