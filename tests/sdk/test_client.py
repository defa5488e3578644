import asyncio
import json
from typing import Any

import pytest
from signalbox_agent.client import AgentClient, socket_url
from signalbox_agent.frames import Refused, Stopped

from tests.sdk.server import TOPIC, ScriptedServer

Frame = dict[str, Any]


async def test_it_introduces_itself_with_its_key_then_follows_its_inbox(scripted, client):
    scripted.append("command:request", command_id="a")
    worker = client()
    await scripted.until(lambda: worker.seen)
    assert scripted.headers[0]["authorization"] == "Bearer prefix.secret"
    assert [frame["type"] for frame in scripted.received[:2]] == ["agent:connect", "subscribe"]
    assert scripted.received[1]["data"] == {"after": 0, "epoch": "e1"}
    assert worker.seen == [("command:request", {"command_id": "a"})]


async def test_what_has_no_ack_is_sent_again_in_order_after_a_reconnect(scripted, client):
    worker = client()
    await worker.connected.wait()
    scripted.is_deaf = True
    answers = [await worker.post("terminal:output", {"n": n}, id=f"c:{n}") for n in range(20)]
    await scripted.until(lambda: len(_sent(scripted, "terminal:output")) == 20)
    scripted.is_deaf = False
    scripted.received.clear()
    scripted.drop()
    await asyncio.gather(*answers)
    types = [frame["type"] for frame in scripted.received if frame["type"] != "ping"]
    assert types[0] == "agent:connect"
    assert [frame["id"] for frame in _sent(scripted, "terminal:output")] == [f"c:{n}" for n in range(20)]
    assert worker.unanswered == 0


async def test_an_ack_that_was_lost_does_not_make_it_happen_twice(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()

    def take_and_say_nothing(frame: Frame) -> Frame | None:
        answer = scripted.ack(frame)
        return answer if frame["type"] == "agent:connect" else None

    scripted.answer = take_and_say_nothing
    answer = await worker.post("command:state", {"status": "running"}, id="c:running")
    await scripted.until(lambda: "c:running" in scripted.accepted)
    scripted.answer = scripted.ack
    scripted.drop()
    assert (await answer)["seq"] == 1
    assert len(_sent(scripted, "command:state")) == 2
    assert len(scripted.of("command:state")) == 1


async def test_what_is_posted_again_before_its_answer_is_answered_twice(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    scripted.is_deaf = True
    answers = [await worker.post("terminal:output", {}, id="c:0") for _ in range(3)]
    answers[0].cancel()
    scripted.is_deaf = False
    scripted.drop()
    assert [data["seq"] for data in await asyncio.wait_for(asyncio.gather(*answers[1:]), 5)] == [1, 1]
    assert (len(scripted.of("terminal:output")), worker.unanswered) == (1, 0)


async def test_acks_may_come_in_one_batch(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    scripted.answer = lambda frame: None
    answers = [await worker.post("terminal:output", {}, id=str(n)) for n in range(3)]
    await scripted.until(lambda: len(_sent(scripted, "terminal:output")) == 3)
    await scripted.push(*({"type": "ack", "id": str(n), "data": {"seq": n}} for n in range(3)))
    assert [data["seq"] for data in await asyncio.gather(*answers)] == [0, 1, 2]


async def test_a_refused_frame_raises_with_the_reason(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    scripted.answer = lambda frame: scripted.refuse(frame, "conflict")
    with pytest.raises(Refused, match="No: conflict") as refused:
        await worker.deliver("command:state", {})
    assert refused.value.code == "conflict"


async def test_a_frame_that_came_too_fast_is_sent_again_after_the_wait(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    refusals = iter([0.05, 0.05])

    def refuse_twice(frame: Frame) -> Frame | None:
        wait = next(refusals, None)
        return scripted.ack(frame) if wait is None else scripted.refuse(frame, "too_fast", wait)

    scripted.answer = refuse_twice
    await worker.deliver("command:state", {}, id="c:end")
    assert len(_sent(scripted, "command:state")) == 3


async def test_a_refusal_that_names_no_frame_leads_to_another_try_of_all(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    scripted.answer = lambda frame: {"type": "error", "data": {"code": "too_fast", "message": "!", "retry_after": 0.05}}
    answer = await worker.post("command:state", {})
    await scripted.until(lambda: len(_sent(scripted, "command:state")) == 1)
    scripted.answer = scripted.ack
    await asyncio.wait_for(answer, 3)


async def test_a_full_outbox_makes_its_writer_wait_and_loses_nothing(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    scripted.is_deaf = True
    posted = 0

    async def write() -> None:
        nonlocal posted
        for _ in range(40):
            await worker.post("terminal:output", {"text": "x" * 1_000_000})
            posted += 1

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.3)
    assert 6 <= posted <= 8
    scripted.is_deaf = False
    scripted.drop()
    await asyncio.wait_for(writing, 20)
    await scripted.until(lambda: len(scripted.of("terminal:output")) == 40)


async def test_what_has_become_too_large_for_the_server_is_refused_by_name(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    scripted.is_deaf = True
    answers = [await worker.post("terminal:output", {"text": text}) for text in ("é" * 6_000, "x" * 9_000)]
    await scripted.until(lambda: len(_sent(scripted, "terminal:output")) == 2)
    scripted.is_deaf = False
    scripted.limits = {"agent_frame_bytes": 10_000}
    scripted.drop()
    await answers[1]
    with pytest.raises(Refused, match="takes 10000 bytes in a frame, not 12") as refused:
        await asyncio.wait_for(answers[0], 5)
    assert refused.value.code == "too_large"
    assert [frame["data"]["text"][0] for frame in scripted.of("terminal:output")] == ["x"]
    assert worker.unanswered == 0


async def test_duplicates_are_dropped_and_a_gap_is_asked_for(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    one = await scripted.say("note", n=1)
    await scripted.push(one, one)
    scripted.append("note", n=2)  # its push got lost
    await scripted.say("note", n=3)
    await scripted.until(lambda: len(worker.seen) >= 3)
    await asyncio.sleep(0.1)
    assert [data["n"] for _, data in worker.seen] == [1, 2, 3]
    assert _sent(scripted, "subscribe")[-1]["data"]["after"] == 1


async def test_it_reads_on_where_it_left_off(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    for n in range(5):
        await scripted.say("note", n=n)
    await scripted.until(lambda: len(worker.seen) == 5)
    scripted.drop()
    scripted.append("note", n=5)
    await scripted.until(lambda: len(worker.seen) == 6)
    assert _sent(scripted, "subscribe")[-1]["data"] == {"after": 5, "epoch": "e1"}


async def test_after_a_reset_it_takes_the_servers_cursor(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    await scripted.say("note", n=1)
    await scripted.until(lambda: worker.seen)
    scripted.welcome |= {"after": 7, "epoch": "e2"}
    await scripted.push({"type": "reset", "topic": TOPIC, "data": {"epoch": "e2", "head": 7, "floor": 7}})
    await scripted.until(lambda: _sent(scripted, "subscribe")[-1]["data"] == {"after": 7, "epoch": "e2"})


async def test_it_leaves_a_silent_server_and_comes_back(scripted: ScriptedServer, client):
    worker = client(quiet_seconds=0.05, silent_seconds=0.3)
    await worker.connected.wait()
    scripted.is_deaf = True
    await scripted.until(lambda: _sent(scripted, "ping"))
    await scripted.until(lambda: scripted.connections == 2)
    scripted.is_deaf = False
    scripted.drop()
    await asyncio.wait_for(worker.connected.wait(), 5)
    await asyncio.sleep(0.6)
    assert scripted.connections == 3  # pongs keep it


async def test_it_comes_back_after_the_server_was_away(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    await scripted.stop()
    answer = await worker.post("command:state", {}, id="c:end")
    await asyncio.sleep(0.3)
    assert worker.gone_since is not None
    await scripted.start()
    await asyncio.wait_for(answer, 5)
    assert worker.gone_since is None


async def test_a_restarting_server_is_left_alone_for_a_moment(scripted: ScriptedServer, client, monkeypatch):
    monkeypatch.setattr("signalbox_agent.client.random.uniform", lambda low, high: (low + high) / 20)
    worker = client()
    await worker.connected.wait()
    await scripted.close(1012)
    await scripted.until(lambda: scripted.connections == 2)


async def test_cut_off_for_being_too_fast_it_waits_as_long_as_it_was_told(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    before = asyncio.get_running_loop().time()
    await scripted.close(4429, {"code": "too_fast", "message": "Slow down.", "retry_after": 0.4})
    await scripted.until(lambda: scripted.connections == 2)
    assert asyncio.get_running_loop().time() - before >= 0.4


@pytest.mark.parametrize("code", [4401, 4403, 4426, 4440])
async def test_it_stops_when_it_is_not_wanted(scripted: ScriptedServer, client, code):
    worker = client()
    await worker.connected.wait()
    await scripted.close(code)
    with pytest.raises(Stopped, match=r"\."):
        await asyncio.wait_for(worker.running, 5)
    assert scripted.connections == 1


async def test_it_stops_when_its_introduction_is_refused(scripted: ScriptedServer, client):
    scripted.answer = lambda frame: scripted.refuse(frame, "forbidden")
    with pytest.raises(Stopped, match="No: forbidden"):
        await asyncio.wait_for(client().running, 5)


@pytest.mark.parametrize("to", ["https://box.example/maintenance", "/maintenance.html", "%"])
async def test_a_redirect_is_not_followed_and_does_not_end_it(client, scripted: ScriptedServer, to):
    asked: list[str] = []

    async def redirect(connection, request):
        asked.append(request.path)
        answer = connection.respond(302, "")
        answer.headers["Location"] = to
        return answer if len(asked) < 3 else None

    scripted.process_request = redirect
    worker = client()
    await asyncio.wait_for(worker.connected.wait(), 5)
    assert asked == ["/ws/"] * 3


async def test_a_proxy_that_nobody_understands_does_not_end_it(client, scripted: ScriptedServer, monkeypatch):
    monkeypatch.setattr("signalbox_agent.link.LOCAL", ())
    monkeypatch.setenv("http_proxy", "gopher://127.0.0.1")
    monkeypatch.delenv("no_proxy", raising=False)
    worker = client()
    await asyncio.sleep(0.2)
    monkeypatch.delenv("http_proxy")
    await asyncio.wait_for(worker.connected.wait(), 5)


async def test_it_gives_credit_for_what_it_received(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    for _ in range(20):
        await scripted.say("note", text="x" * 10_000)
    await scripted.until(lambda: _sent(scripted, "received"))
    assert 0 < _sent(scripted, "received")[-1]["data"][TOPIC] <= 20
    assert len(json.dumps(scripted.received)) < 50_000


async def test_nonsense_from_the_server_does_not_end_it(scripted: ScriptedServer, client):
    worker = client()
    await worker.connected.wait()
    await scripted.push({"type": "batch", "messages": [1, None, {"type": "?"}]}, {"no": "type"})
    for socket in scripted._sockets:
        await socket.send("{not json")
    await scripted.until(lambda: scripted.connections == 2)
    await asyncio.wait_for(worker.connected.wait(), 5)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/ws/"),
        ("https://box.example/", "wss://box.example/ws/"),
        ("box.example:81", "ws://box.example:81/ws/"),
        ("wss://box.example/api/v1/ws/connect", "wss://box.example/api/v1/ws/connect"),
    ],
)
def test_an_address_becomes_the_address_of_the_socket(given, url):
    assert socket_url(given) == url


@pytest.mark.parametrize(
    "given", ["ftp://box.example", "http://", "http://:80", "http://box:80a", "http://box:70000", "http://[::1"]
)
def test_an_odd_address_is_refused(given):
    with pytest.raises(ValueError, match="is not an address"):
        AgentClient(given, "key", introduce=dict)


def _sent(scripted: ScriptedServer, type: str) -> list[Frame]:
    return [frame for frame in scripted.received if frame["type"] == type]
