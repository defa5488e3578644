"""What one connection has to carry out: in order, each once, until nothing is left."""

import asyncio
from uuid import uuid4

import pytest

from apps.accounts.actors import SYSTEM
from apps.accounts.refusals import TooFast
from apps.events import dispatch
from apps.gateway import calls
from apps.gateway.calls import Calls
from tests.gateway.conftest import until


class Work:
    """What would carry frames out: each is under way until a test says how it ended."""

    def __init__(self):
        self.begun = {}

    def perform(self, call):
        self.begun[call.id] = asyncio.get_running_loop().create_future()
        return self.begun[call.id]


@pytest.fixture
async def work(monkeypatch):
    work = Work()
    monkeypatch.setattr(dispatch, "perform", work.perform)
    return work


@pytest.fixture
async def of_alice(work):
    """Her frames; `answered` has the ids of those that were answered."""
    answered = []
    waiting = Calls(lambda call, id, done: answered.append(id))
    return waiting, answered


def frame(id):
    return dispatch.understand(
        SYSTEM, {"type": "message", "id": id, "topic": f"chat.{uuid4()}", "data": {"content": "x"}}
    )


async def test_the_next_begins_when_the_one_before_has_ended(work, of_alice):
    hers, answered = of_alice
    for id in "abc":
        hers.add(frame(id), id)
    for id in "abc":
        assert list(work.begun)[-1] == id
        work.begun[id].set_result(None)
        await until(lambda id=id: answered[-1:] == [id])


async def test_one_that_was_cancelled_holds_up_none_that_follow(work, of_alice):
    hers, answered = of_alice
    for id in "ab":
        hers.add(frame(id), id)
    work.begun["a"].cancel()
    await until(lambda: "b" in work.begun)
    work.begun["b"].set_result(None)
    await until(lambda: answered == ["b"])


async def test_it_has_settled_when_the_last_that_waited_has_ended(work, of_alice):
    hers, answered = of_alice
    await hers.settle()
    for id in "abc":
        hers.add(frame(id), id)
    settling = asyncio.create_task(hers.settle())
    for id in "abc":
        await until(lambda id=id: id in work.begun)
        assert not settling.done()
        work.begun[id].set_result(None)
    await settling
    assert answered == ["a", "b", "c"]


async def test_what_was_dropped_is_not_waited_for_and_leaves_its_place_to_others(work, of_alice, monkeypatch):
    monkeypatch.setattr(calls, "CALLS_WAITING", 3)
    hers, answered = of_alice
    for id in "abc":
        hers.add(frame(id), id)
    with pytest.raises(TooFast):
        hers.add(frame("d"), "d")
    hers.drop()
    hers.add(frame("e"), "e")
    settling = asyncio.create_task(hers.settle())
    for id in "ae":
        await until(lambda id=id: id in work.begun)
        work.begun[id].set_result(None)
    await settling
    assert answered == ["a", "e"]
