"""A client that stops reading costs no memory, delays nobody, and loses nothing."""

import asyncio
import json
import socket as sockets
import time
from urllib.parse import urlsplit

import psutil
import pytest

from tests.gateway.live.conftest import say, seqs

EVENT = 3_000
"""Characters of each event."""


def narrow(server):
    """A TCP connection with a small window, so that the server notices at once when nobody reads."""
    link = sockets.socket()
    link.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 16 * 1024)
    url = urlsplit(server.url)
    link.connect((url.hostname, url.port))
    return link


def write_much(server, topic, megabytes):
    """So many megabytes of events, from another process; the last seq."""
    seq = 0
    for _ in range(megabytes * 2):
        seq = server.do("tests.gateway.live.elsewhere:post", topic, [str(i) for i in range(500_000 // EVENT)], EVENT)
    return seq


async def test_who_does_not_read_costs_nothing_and_loses_nothing(alice, bob, room, connect, api, server):
    watcher = await connect(alice, follow=room.topic, after=1)
    slow = [await connect(bob, sock=narrow(server), max_queue=1) for _ in range(4)]
    for i, socket in enumerate(slow):
        await socket.follow(room.topic, 1)
        if i % 2:
            await socket.send({"type": "received", "data": {room.topic: 1}})
        await socket.pause()

    seq = write_much(server, room.topic, 4)  # now every buffer that has a bound is full
    await watcher.events(seq - 1, timeout=60)
    before = psutil.Process(server.pid).memory_info().rss
    more = write_much(server, room.topic, 12)
    await watcher.events(more - seq, timeout=60)
    grown = psutil.Process(server.pid).memory_info().rss - before
    assert grown < 40 * 2**20, f"{grown / 2**20:.1f} MiB more for 12 MB that four clients did not read"

    started = time.monotonic()
    await say(api(alice), room.topic, "in time?")
    await watcher.events(1, timeout=5)
    assert time.monotonic() - started < 4, "it waited for others"

    for socket in slow:
        socket.resume()
    for socket in slow:
        assert seqs(await socket.events(more, timeout=60)) == list(range(2, more + 2))
    await say(api(alice), room.topic, "level again")
    for socket in (watcher, *slow):
        assert (await socket.events(1))[0]["data"]["content"] == "level again"


@pytest.mark.variants("sqlite")
async def test_a_client_that_gives_no_credit_gets_no_more_than_that(alice, bob, room, connect, server):
    """On daphne from the first byte, elsewhere from the first `received`."""
    socket = await connect(bob)
    await socket.pause()
    if server.variant.web == "uvicorn":
        await socket.send({"type": "received", "data": {room.topic: 0}})
    await socket.send({"type": "subscribe", "id": "1", "topic": room.topic, "data": {"after": 1}})
    if server.variant.web == "uvicorn":
        await socket.send({"type": "received", "data": {room.topic: 1}})
    seq = write_much(server, room.topic, 4)

    taken = 0
    try:
        while True:
            async with asyncio.timeout(2):
                message = await socket.connection.recv()
            taken += len(message)
            socket._sort(json.loads(message))
    except TimeoutError:
        pass
    assert 2**20 < taken < 2**20 + 600_000
    last = socket._last_seq[room.topic]
    assert last < seq

    socket.resume()
    await socket.send({"type": "received", "data": {room.topic: last}})
    assert seqs(await socket.events(seq - 1, timeout=30)) == list(range(2, seq + 1))
