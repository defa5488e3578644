"""A socket from the handshake on, without a server: who comes in, and who no longer does."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from apps.accounts import services, tokens
from apps.accounts.actors import SYSTEM
from apps.events import dispatch
from apps.events.threads import in_writer
from apps.gateway import hub as hubs
from apps.gateway import registry, wheel
from apps.gateway.consumers import GatewayConsumer
from apps.gateway.turnaway import no_such_socket
from tests.gateway.conftest import until

pytestmark = pytest.mark.django_db(transaction=True)


class Visit:
    """The ASGI side of one client: it comes, says its frames, and goes when it was told to."""

    def __init__(self, token: str = "", *frames: Any) -> None:
        self.scope = {"type": "websocket", "headers": [(b"authorization", f"Bearer {token}".encode())]}
        self.said: list[Any] = []
        said = [{"type": "websocket.receive", "text": json.dumps(frame)} for frame in frames]
        self._comes = [{"type": "websocket.connect"}, *said]
        self.told_to_go = asyncio.Event()

    async def receive(self) -> Any:
        if self._comes:
            return self._comes.pop(0)
        async with asyncio.timeout(5):
            await self.told_to_go.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(self, message: Any) -> None:
        match message["type"]:
            case "websocket.send":
                self.said.append(json.loads(message["text"])["type"])
            case "websocket.close":
                self.said.append(message["code"])
                self.told_to_go.set()


@pytest.fixture
async def process(settings, monkeypatch):
    """This process as it serves."""
    settings.HEADS_CHECK_SECONDS = 3600
    settings.SWEEP_HERE = False
    monkeypatch.setattr(registry, "live", {})
    await hubs.stop()
    yield
    await wheel.stop()
    await hubs.stop()


async def test_whose_access_ends_while_he_is_counted_in_is_put_out(process, alice, monkeypatch):
    enter = registry.enter

    async def slowly(connection):
        await in_writer(lambda: services.deactivate_user(SYSTEM, user=alice))
        await asyncio.sleep(0.05)  # everybody was told, and nobody was concerned
        await enter(connection)

    monkeypatch.setattr(registry, "enter", slowly)
    visit = Visit(await in_writer(lambda: tokens.issue(alice).access))
    await GatewayConsumer()(visit.scope, visit.receive, visit.send)
    assert visit.said == ["error", 4440]


async def test_goodbye_is_said_after_all_that_was_read_has_been_carried_out(process, alice, monkeypatch):
    """A sign of life that waited for its turn would bring back who has gone."""
    happened, done = [], []

    def slowly(call):
        happened.append(call.id)
        done.append(asyncio.get_running_loop().create_future())
        return done[-1]

    monkeypatch.setattr(dispatch, "perform", slowly)
    monkeypatch.setattr(dispatch, "say_goodbye", lambda actor: happened.append("goodbye"))
    frames = [
        {"type": "message", "id": id, "topic": f"chat.{uuid4()}", "data": {"content": "x"}} for id in ("a", "b", "c")
    ]
    visit = Visit(await in_writer(lambda: tokens.issue(alice).access), *frames)
    visiting = asyncio.create_task(GatewayConsumer()(visit.scope, visit.receive, visit.send))
    await until(lambda: registry.live and happened)
    visit.told_to_go.set()
    await until(lambda: not registry.live)
    for id in ("a", "b", "c"):
        await until(lambda id=id: happened[-1] == id)
        await in_writer(lambda: None)  # by now a goodbye that does not wait would have been said
        done[-1].set_result(None)
    await visiting
    assert happened == ["a", "b", "c", "goodbye"]


async def test_an_unknown_address_needs_no_channel_layer(settings):
    settings.CHANNEL_LAYERS = {}
    visit = Visit()
    await no_such_socket(visit.scope, visit.receive, visit.send)
    assert visit.said == ["error", 4404]
