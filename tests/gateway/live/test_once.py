"""Many write at the same time, and many write the same: no holes, no doubles, everybody is answered."""

import asyncio
import json
from uuid import uuid4

import pytest

from tests.gateway.live.conftest import contents, say, seqs


async def test_the_same_frame_on_two_connections_and_over_http_happens_once(alice, room, connect, api):
    sockets = [await connect(alice) for _ in range(3)]
    clients = [api(alice) for _ in range(3)]
    for round in range(3):
        frame = {"type": "message", "id": f"same-{round}", "topic": room.topic, "data": {"content": f"once {round}"}}
        for socket in sockets:
            await socket.send(frame)
        posted = await asyncio.gather(*[client.post("/api/v1/frames/", json=frame) for client in clients])
        acks = [await socket.answer(frame["id"]) for socket in sockets] + [answer.json() for answer in posted]
        assert {ack["type"] for ack in acks} == {"ack"}, acks
        assert len({json.dumps(ack["data"], sort_keys=True) for ack in acks}) == 1
    events = await api(alice).events(room.topic, 1)
    assert contents(events) == ["once 0", "once 1", "once 2"]


async def test_writers_on_every_way_leave_no_hole(alice, bob, room, server, connect, api):
    """Two sockets, HTTP, and another process, all at the same time on one topic."""
    watcher = await connect(bob, follow=room.topic, after=1)
    sockets = [await connect(alice), await connect(bob)]

    async def by_socket(name, socket):
        ids = [
            await socket.send_frame("message", room.topic, id=f"{name}.{i}", content=f"{name}.{i}") for i in range(10)
        ]
        return [(await socket.answer(id))["data"]["seq"] for id in ids]

    async def by_http(name):
        return [await say(api(alice), room.topic, f"{name}.{i}") for i in range(10)]

    elsewhere = asyncio.to_thread(server.do, "tests.gateway.live.elsewhere:post_often", room.topic, "d", 30)
    *own, _ = await asyncio.gather(by_socket("a", sockets[0]), by_socket("b", sockets[1]), by_http("c"), elsewhere)

    events = await watcher.events(60, timeout=20)
    assert seqs(events) == list(range(2, 62))
    said = contents(events)
    assert len(set(said)) == 60
    for name, acked in zip("abc", own, strict=True):
        mine = [event for event in events if event["data"]["content"].startswith(name)]
        assert [event["data"]["content"] for event in mine] == [f"{name}.{i}" for i in range(10)]
        assert seqs(mine) == acked
    assert [text for text in said if text.startswith("d")] == [f"d.{i}" for i in range(30)]
    assert await api(bob).events(room.topic, 1) == events


async def test_frames_of_one_socket_keep_their_order(alice, room, connect, api):
    socket = await connect(alice, follow=room.topic)
    ids = [await socket.send_frame("message", room.topic, id=f"m{i}", content=str(i)) for i in range(10)]
    assert [(await socket.answer(id))["data"]["seq"] for id in ids] == list(range(2, 12))
    assert contents(await socket.events(10)) == [str(i) for i in range(10)]


class Terminal:
    """An agent with one running command, that prints."""

    def __init__(self, socket, topic, command):
        self.socket, self.topic, self.command = socket, topic, command

    @classmethod
    async def open(cls, connect, agent_key, name, command=None):
        socket = await connect(agent_key)
        hello = await socket.ask("agent:connect", name=name, instance="one", running=[command] if command else [])
        assert hello["type"] == "ack", hello
        return cls(socket, hello["data"]["data"]["terminal"], command), hello["data"]["data"]

    async def print(self, *numbers):
        """Send frames and do not wait; their ids."""
        return [
            await self.socket.send_frame(
                "terminal:output",
                self.topic,
                id=f"{self.command}:{n}",
                command_id=self.command,
                offset=n,
                text=f"line {n}\n",
            )
            for n in numbers
        ]


async def test_output_resent_after_a_reconnect_is_there_once_and_in_order(alice, agent_key, team, connect, api):
    name = f"box-{uuid4().hex[:6]}"
    terminal, hello = await Terminal.open(connect, agent_key, name)
    asked = await api(alice).send_frame(
        "command:request", hello["topic"], id=uuid4().hex, kind="shell", spec={"shell": "x"}
    )
    assert asked.status_code == 200, asked.text
    command = terminal.command = asked.json()["data"]["data"]["command_id"]
    claimed = await terminal.socket.ask("command:state", hello["topic"], command_id=command, status="running")
    assert claimed["type"] == "ack", claimed
    watcher = await connect(alice, follow=hello["terminal"], after=0)

    ids = await terminal.print(*range(200))
    assert (await terminal.socket.answer(ids[0]))["data"]["seq"] == 1
    terminal.socket.connection.transport.abort()

    again, _ = await Terminal.open(connect, agent_key, name, command)
    ids = await again.print(*range(300))
    answers = [await again.socket.answer(id) for id in ids]
    assert [answer["data"]["seq"] for answer in answers] == list(range(1, 301))
    events = await watcher.events(300)
    assert [event["data"]["offset"] for event in events] == list(range(300))
    assert seqs(events) == list(range(1, 301))
    await watcher.no_events(0.2)


@pytest.mark.variants("uvicorn")
async def test_a_list_of_frames_is_answered_in_order(alice, room, api):
    def message(id, **data):
        return {"type": "message", "id": id, "topic": room.topic, "data": data}

    frames = [
        message("1", content="a"),
        message("2"),
        {"type": "nonsense"},
        message("1", content="a"),
        message("3", content="b"),
    ]
    answer = await api(alice).post("/api/v1/frames/", json=frames)
    assert answer.status_code == 200
    told = answer.json()
    assert [(a["type"], a["data"].get("seq") or a["data"]["code"]) for a in told] == [
        ("ack", 2), ("error", "invalid"), ("error", "bad_frame"), ("ack", 2), ("ack", 3)
    ]  # fmt: skip
    assert [a.get("id") for a in told] == ["1", "2", None, "1", "3"]
