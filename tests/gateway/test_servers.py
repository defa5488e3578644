"""Our uvicorn protocol: who reads slowly is there, who reads nothing is not, and who floods it is cut off."""

import asyncio
import json
import socket
import sys

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from apps.accounts.actors import SYSTEM
from apps.gateway import registry, wheel
from apps.gateway.connection import Connection
from apps.gateway.frames import Frame
from apps.gateway.outlets import RawOutlet
from apps.gateway.servers import PING, SharedFrameProtocol
from tests.gateway.conftest import until


class Transport:
    """A link whose client takes what a test lets it take."""

    def __init__(self, link):
        self.unsent = 0
        self._link = link

    def get_extra_info(self, name):
        assert name == "socket"
        return self._link

    def write(self, data):
        self.unsent += len(data)

    def get_write_buffer_size(self):
        return self.unsent

    def is_closing(self):
        return False


@pytest.fixture
def link():
    """Both ends of a TCP connection: the server's and the client's."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
        listener.accept()[0] as server,
    ):
        for end in (client, server):
            end.setblocking(False)
        yield server, client


@pytest.fixture
async def protocol(link, monkeypatch):
    monkeypatch.setattr(registry, "live", {})

    async def app(scope, receive, send):
        pass

    config = uvicorn.Config(app, log_config=None, ws=SharedFrameProtocol)
    config.load()
    protocol = SharedFrameProtocol(config, ServerState(), {})
    protocol.transport = Transport(link[0])
    return protocol


@pytest.fixture
async def bob(protocol):
    """His connection, heard of at second 1000 and not since: so much is unsent that nothing more is read."""
    closed = []

    async def send(message):
        closed.append(message["code"])

    connection = Connection("1" * 16, SYSTEM, RawOutlet(protocol, send), address="", client="")
    protocol.alive_at = 1_000.0
    protocol.transport.write(b"x" * 1_000_000)
    return connection, closed


def turn(connection, settings, *, beats, takes=0):
    """The wheel's looks of so many heartbeats, in each of which the client takes so many bytes."""
    wheel._check_silence(connection, 1_000.0)
    for look in range(1, int(beats * 4) + 1):
        connection.outlet._protocol.transport.unsent -= takes
        wheel._check_silence(connection, now := 1_000.0 + look * settings.HEARTBEAT_SECONDS / 4)
    return now


async def test_who_takes_bytes_is_alive_though_nothing_is_read_from_it(bob, protocol, settings):
    connection, closed = bob
    now = turn(connection, settings, beats=9, takes=100)
    assert (connection._closing, closed) == (False, [])
    assert protocol.transport.unsent == 1_000_000 - 9 * 4 * 100, "it was not even asked whether it is there"
    assert protocol.sign_of_life(now) == now


async def test_who_takes_nothing_is_asked_and_then_given_up(bob, protocol, settings):
    connection, closed = bob
    turn(connection, settings, beats=2.25)
    assert not connection._closing
    assert protocol.transport.unsent == 1_000_000 + 5 * len(PING)
    turn(connection, settings, beats=2.5)
    assert connection._closing
    await until(lambda: closed)


async def test_who_is_written_to_is_not_alive_for_that(bob, protocol):
    for now in range(1_001, 1_010):
        protocol.transport.write(b"x" * 100)
        assert protocol.sign_of_life(float(now)) == 1_000.0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what its kernel has not sent")
async def test_who_takes_what_the_kernel_holds_is_alive(bob, protocol, link):
    """The kernel takes more from us only when a third of its megabytes is free."""
    server, client = link
    with pytest.raises(BlockingIOError):
        while True:
            server.send(b"x" * 65_536)
    protocol.sign_of_life(1_000.0)
    with pytest.raises(BlockingIOError):
        while True:
            client.recv(65_536)
    await until(lambda: protocol.sign_of_life(1_020.0) == 1_020.0)


# Floods


MOST = 2 * 1_000
"""WebSocket frames in a second: twice what an agent may send."""


def masked(opcode, data=b""):
    """A frame of a client, as small as it can be."""
    return bytes((opcode, 0x80 | len(data), 0, 0, 0, 0)) + data


async def stands_still(transport):
    """Bytes that wait to be written, as soon as they get no fewer and no more."""
    seen = None
    while seen != (seen := transport.get_write_buffer_size()):
        await asyncio.sleep(0.2)
    return seen


@pytest.fixture
async def served():
    """A client of a real server whose application takes messages and says nothing; and the server's end of it."""
    ends, taken = [], []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            taken.append(message["text"])

    def protocol():
        ends.append(SharedFrameProtocol(config, ServerState(), {}))
        ends[0].taken = taken
        return ends[0]

    config = uvicorn.Config(app, log_config=None, ws=SharedFrameProtocol)
    config.load()
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    client = await connect(f"ws://{host}:{port}/", max_queue=1, max_size=None, ping_interval=None, close_timeout=1)
    yield client, ends[0]
    client.transport.abort()
    ends[0].transport.abort()
    server.close()


FLOODS = {
    "pings": (b"", masked(0x89)),
    "pongs": (b"", masked(0x8A)),
    "parts of a message": (masked(0x01), masked(0x00)),
    "messages": (b"", masked(0x81)),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_who_sends_too_many_frames_is_cut_off_in_words(served, flood):
    client, _ = served
    first, one = FLOODS[flood]
    client.transport.write(first + one * (2 * MOST))
    told = json.loads(await asyncio.wait_for(client.recv(), 5))
    assert (told["type"], told["data"]["code"], told["data"]["retry_after"]) == ("error", "too_fast", 1.0)
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(client.recv(), 5)
    assert client.close_code == 4429


@pytest.mark.parametrize("flood", FLOODS)
async def test_of_a_flood_nothing_is_parsed_after_the_limit(served, flood, monkeypatch):
    client, end = served
    parsed = []
    receive = end.conn.receive_data
    monkeypatch.setattr(end.conn, "receive_data", lambda data: (parsed.append(len(data)), receive(data)))
    first, one = FLOODS[flood]
    client.transport.write(first + one * (50 * MOST))
    await until(lambda: end.transport.is_closing())
    assert sum(parsed) < 2 * MOST * len(one)


async def test_as_many_frames_as_one_may_send_are_taken(served):
    client, end = served
    client.transport.write((masked(0x89) + masked(0x81, b"a") + masked(0x01, b"b") + masked(0x80, b"c")) * (MOST // 5))
    await until(lambda: len(end.taken) == 2 * (MOST // 5))
    assert end.taken[:2] == ["a", "bc"]
    await asyncio.wait_for(await client.ping(), 5)


async def test_empty_parts_of_a_message_do_not_pile_up(served):
    client, end = served
    client.transport.write(masked(0x01, b"a") + masked(0x00) * 500 + masked(0x00, b"b"))
    await until(lambda: len(end.frames) == 2)
    client.transport.write(masked(0x80))
    await until(lambda: end.taken == ["ab"])


async def test_the_pongs_of_who_takes_nothing_do_not_pile_up(served):
    client, end = served
    end.allowed = None  # However many there are.
    for _ in range(20):
        end.transport.write(Frame(b"x" * 1_000_000).raw_text)
    before = await stands_still(end.transport)
    client.transport.write(masked(0x89, b"x" * 125) * 40_000)
    await stands_still(client.transport)
    assert end.transport.get_write_buffer_size() < before + 1_000_000

    for _ in range(20):
        await client.recv()
    await asyncio.wait_for(await client.ping(), 5)  # and it is read again


async def test_who_floods_and_takes_nothing_is_let_go_at_once(served):
    client, end = served
    for _ in range(20):
        end.transport.write(Frame(b"x" * 1_000_000).raw_text)
    await until(lambda: not end.writable.is_set())
    client.transport.write(masked(0x8A) * (2 * MOST))
    await until(lambda: end.disconnected)
