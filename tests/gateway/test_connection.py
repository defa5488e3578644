"""One socket without a network: what its actor may do is looked at again while frames wait."""

import asyncio
import json
from dataclasses import replace
from uuid import uuid4

import pytest

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.refusals import Forbidden
from apps.events import dispatch
from apps.events.threads import in_writer
from apps.gateway import connection as connections
from apps.gateway.connection import Connection
from tests.gateway.fakes import FakeOutlet

BROADCAST = {"type": "notice:broadcast", "topic": "system", "data": {"message": "Hello"}}


@pytest.fixture
def sam(transactional_db):
    """A member of staff."""
    user = User.objects.create_user(f"sam-{uuid4().hex[:8]}", is_staff=True)
    yield user
    user.delete()


def connected(user):
    return Connection("1" * 16, Actor(user=user), FakeOutlet(), address="", client="")


async def test_frames_that_wait_are_carried_out_with_the_rights_of_their_turn(sam, monkeypatch):
    performed, done = [], []

    def slowly(call):
        performed.append(call)
        done.append(asyncio.get_running_loop().create_future())
        return done[-1]

    monkeypatch.setattr(dispatch, "perform", slowly)
    socket = connected(sam)
    for id in ("under way", "waits"):
        await socket.take(json.dumps({**BROADCAST, "id": id}))
    await in_writer(User.objects.filter(pk=sam.pk).update, is_staff=False)
    await socket.check_rights()
    done[0].set_result(None)
    await asyncio.sleep(0.01)
    assert [(call.id, call.actor.is_staff) for call in performed] == [("under way", True), ("waits", False)]
    assert {call.actor.connection for call in performed} == {socket.id}


async def test_credentials_that_it_brought_meanwhile_are_not_given_up_for_older_ones(sam, monkeypatch):
    socket = connected(sam)
    newer = replace(socket.actor, expires_at=4e9)

    def bring_others(actor):
        if actor.expires_at is None:
            socket.actor = newer
        return actor

    monkeypatch.setattr(connections, "renewed", bring_others)
    await socket.check_rights()
    assert socket.actor.expires_at == 4e9


FRAMES = [
    {"type": "ping"},
    {"type": "heads"},
    {"type": "auth", "data": {}},
    {"type": "subscribe", "topic": "system"},
    {"type": "presence", "topic": "system"},
    {"type": "unsubscribe", "topic": "system"},
    {"type": "presence", "topic": "system"},
    {"type": "no_such_type"},
    {"type": "notice:broadcast", "topic": "system", "data": {"message": 7}},
    BROADCAST,
]


async def answers_to(socket, frame):
    """What a frame is answered with; not what happens besides."""
    await socket.take(json.dumps(frame))
    await socket.settle()
    socket._flush_answers()
    return [answer for answer in socket.outlet.taken() if answer["type"] not in ("system", "presence")]


async def test_an_id_comes_back_just_as_it_was_sent(hub, sam, monkeypatch):
    monkeypatch.setattr(dispatch, "perform", done_at_once)
    socket = connected(sam)
    for number, frame in enumerate(FRAMES):
        for id in (number, str(number)):
            [answer] = await answers_to(socket, frame | {"id": id})
            assert (answer["id"], type(answer["id"])) == (id, type(id)), frame


async def test_what_is_no_id_does_not_come_back(hub, sam):
    socket = connected(sam)
    for frame in FRAMES:
        for id in ({"a": [1]}, ["a"], 1.5, True, None):
            [answer] = await answers_to(socket, frame | {"id": id})
            assert "id" not in answer, (frame, id)


async def test_a_frame_that_is_refused_in_its_turn_has_its_id_too(sam, monkeypatch):
    monkeypatch.setattr(dispatch, "perform", lambda call: done_at_once(call, Forbidden()))
    [answer] = await answers_to(connected(sam), BROADCAST | {"id": 7})
    assert (answer["type"], answer["id"]) == ("error", 7)


def done_at_once(call, refusal=None):
    done = asyncio.get_running_loop().create_future()
    if refusal is None:
        done.set_result(None)
    else:
        done.set_exception(refusal)
    return done
