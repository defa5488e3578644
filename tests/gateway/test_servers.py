"""Our uvicorn protocol: who reads slowly is there, and who reads nothing is not."""

import socket
import sys

import pytest
import uvicorn
from uvicorn.server import ServerState

from apps.accounts.actors import SYSTEM
from apps.gateway import registry, wheel
from apps.gateway.connection import Connection
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
