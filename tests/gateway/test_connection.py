"""One socket without a network: what its actor may do is looked at again while frames wait."""

import asyncio
import json
from dataclasses import replace
from uuid import uuid4

import pytest

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.events import dispatch
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
    await User.objects.filter(pk=sam.pk).aupdate(is_staff=False)
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
