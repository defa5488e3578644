"""How frames reach one client: in order, never waiting, and awake again when there is room."""

import asyncio
import zlib

import pytest

from apps.gateway import outlets
from apps.gateway.frames import Frame
from apps.gateway.outlets import QUEUED_BYTES, AsgiOutlet, RawOutlet
from tests.gateway.conftest import until


class Road:
    """The ASGI side of a socket: what was sent, in order. It takes nothing while it is not open."""

    def __init__(self):
        self.sent = []
        self.open = asyncio.Event()
        self.open.set()
        self.gone = False

    async def send(self, message):
        await self.open.wait()
        if self.gone:
            raise ConnectionError("the client has gone")
        self.sent.append(message)

    @property
    def texts(self):
        return [message.get("text") for message in self.sent]


class Transport:
    """Where a server's protocol writes its bytes."""

    def __init__(self):
        self.written = []
        self.aborted = False
        self.closing = False

    def is_closing(self):
        return self.closing

    def write(self, data):
        self.written.append(data)

    def abort(self):
        self.aborted = True


class Protocol:
    """As our uvicorn protocol looks to an outlet."""

    def __init__(self):
        self.transport = Transport()
        self.writable = asyncio.Event()
        self.writable.set()
        self.outlet = None
        self.pings = 0

    def sign_of_life(self, now):
        return now - 12.5

    def ping(self):
        self.pings += 1


@pytest.fixture
async def road():
    return Road()


@pytest.fixture
async def alice(road):
    """Her outlet, on a server whose `send` waits for the client."""
    return AsgiOutlet(road.send, has_backpressure=True)


@pytest.fixture
async def bob(road):
    """His outlet, on our own protocol."""
    return RawOutlet(Protocol(), road.send)


def fill(outlet):
    for text in (b"a" * QUEUED_BYTES, b"b"):
        outlet.write(Frame(text))
    assert outlet.is_full


# Through any ASGI server


async def test_frames_leave_in_the_order_of_their_writing(alice, road):
    for number in range(50):
        alice.write(Frame(b"%d" % number))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await until(lambda: len(road.sent) == 50)
    assert road.texts == [str(number) for number in range(50)]
    assert road.sent[0]["type"] == "websocket.send"


async def test_large_frames_are_compressed_for_who_asked(alice, road):
    alice.compress = True
    alice.write(Frame(b"small"))
    alice.write(Frame(b"x" * 5_000))
    await until(lambda: len(road.sent) == 2)
    assert road.sent[0]["text"] == "small"
    assert zlib.decompress(road.sent[1]["bytes"], -zlib.MAX_WBITS) == b"x" * 5_000


async def test_it_is_full_while_the_client_does_not_read_and_wakes_who_waits(alice, road):
    road.open.clear()
    woken = []
    fill(alice)
    alice.wake_when_writable(lambda: woken.append("reader"))
    draining = asyncio.create_task(alice.drain())
    await asyncio.sleep(0.01)
    assert (woken, draining.done()) == ([], False)
    road.open.set()
    async with asyncio.timeout(1):
        await draining
    assert woken == ["reader"]
    assert not alice.is_full
    await until(lambda: len(road.sent) == 2)


async def test_an_outlet_with_room_does_not_hold_its_consumer_up(alice):
    async with asyncio.timeout(0.1):
        await alice.drain()


async def test_a_client_that_goes_while_it_is_full_leaves_nobody_waiting(alice, road):
    road.open.clear()
    woken = []
    fill(alice)
    alice.wake_when_writable(lambda: woken.append("reader"))
    draining = asyncio.create_task(alice.drain())
    await asyncio.sleep(0)
    road.gone = True
    road.open.set()
    async with asyncio.timeout(1):
        await draining
    assert woken == ["reader"]
    assert (road.sent, alice.is_full) == ([], False)
    alice.write(Frame(b"too late"))
    await asyncio.sleep(0.01)
    assert road.sent == []


async def test_what_was_written_leaves_before_the_close(alice, road):
    alice.write(Frame(b"the reason"))
    await alice.close(4401, "Log in first.")
    assert road.texts == ["the reason", None]
    assert road.sent[-1] == {"type": "websocket.close", "code": 4401, "reason": "Log in first."}


async def test_after_the_close_nothing_leaves(alice, road):
    await alice.close(4440, "")
    alice.write(Frame(b"a secret"))
    await asyncio.sleep(0.01)
    assert [message["type"] for message in road.sent] == ["websocket.close"]


async def test_who_is_shut_out_while_it_does_not_read_gets_nothing_later(alice, road, monkeypatch):
    monkeypatch.setattr(outlets, "CLOSE_SECONDS", 0.02)
    road.open.clear()
    fill(alice)
    with pytest.raises(TimeoutError):
        await alice.close(4440, "")
    alice.write(Frame(b"a secret"))
    road.open.set()
    await asyncio.sleep(0.01)
    assert road.sent == []


# Straight to the transport


async def test_a_raw_outlet_writes_the_frames_own_bytes(bob):
    frame = Frame(b"x" * 2_000)
    bob.write(frame)
    bob.compress = True
    bob.write(frame)
    [text, packed] = bob._protocol.transport.written
    assert text is frame.raw_text
    assert packed is frame.raw_deflated


async def test_a_raw_outlet_is_full_while_the_transport_is(bob):
    woken = []
    bob.pause()
    assert bob.is_full
    bob.wake_when_writable(lambda: woken.append("first"))
    bob.wake_when_writable(lambda: woken.append("second"))
    bob.resume()
    assert (woken, bob.is_full) == (["first", "second"], False)
    bob.pause()
    bob.resume()
    assert woken == ["first", "second"], "who was woken has to ask again"


async def test_a_raw_outlet_drains_when_its_protocol_is_writable(bob):
    bob._protocol.writable.clear()
    draining = asyncio.create_task(bob.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    bob._protocol.writable.set()
    async with asyncio.timeout(1):
        await draining


async def test_the_protocol_knows_its_outlet_and_when_the_client_was_there(bob):
    assert bob._protocol.outlet is bob
    assert bob.sign_of_life(20.0) == 7.5
    bob.ping()
    assert bob._protocol.pings == 1


async def test_a_detached_outlet_writes_to_nobody_and_wakes_its_readers(bob):
    woken = []
    bob.pause()
    bob.wake_when_writable(lambda: woken.append("reader"))
    bob.detach()
    bob.write(Frame(b"too late"))
    assert bob._protocol.transport.written == []
    assert (woken, bob.is_full) == (["reader"], False)


async def test_an_outlet_of_a_client_that_has_gone_already_writes_to_nobody(road):
    protocol = Protocol()
    protocol.transport.closing = True
    late = RawOutlet(protocol, road.send)
    late.write(Frame(b"{}"))
    assert protocol.transport.written == []


async def test_a_raw_outlet_closes_after_what_was_written(bob, road):
    bob.write(Frame(b"the reason"))
    await bob.close(4401, "Log in first.")
    bob.write(Frame(b"too late"))
    assert bob._protocol.transport.written == [Frame(b"the reason").raw_text]
    assert road.sent == [{"type": "websocket.close", "code": 4401, "reason": "Log in first."}]


async def test_who_does_not_read_the_close_is_cut_off(bob, road, monkeypatch):
    monkeypatch.setattr(outlets, "CLOSE_SECONDS", 0.02)
    road.open.clear()
    await bob.close(4440, "")
    assert bob._protocol.transport.aborted
