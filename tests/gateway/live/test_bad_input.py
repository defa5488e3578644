"""Whatever a client sends, it gets an answer with a code and a sentence, and its socket lives unless it goes on."""

import json
from contextlib import suppress
from uuid import uuid4

import pytest

from tests.gateway.live.conftest import say

DEEP = '{"type": "message", "id": "1", "data": ' + '{"a":' * 40 + "1" + "}" * 41
one_store = pytest.mark.variants("sqlite")
"""For what never reaches the database."""

FRAMES = [
    ("", "bad_frame"),
    ("nonsense", "bad_frame"),
    ("null", "bad_frame"),
    ("7", "bad_frame"),
    ("[]", "bad_frame"),
    ('"message"', "bad_frame"),
    ("{}", "bad_frame"),
    ('{"type": "message", "id": "1", "data": {"content": NaN}}', "bad_frame"),
    ('{"type": "message", "id": "1", "data": {"content": 1e999}}', "bad_frame"),
    ('{"type": "message", "id": "1", "data": {"content": "\\ud800"}}', "bad_frame"),
    (DEEP, "bad_frame"),
    ("[" * 60_000, "bad_frame"),
    ("[" * 30_000 + "]" * 30_000, "bad_frame"),
    (b"\xff\xfe\xfd", "bad_frame"),
    (b"\x00" * 100, "bad_frame"),
    ({"type": 7, "id": "1"}, "bad_frame"),
    ({"type": None, "id": "1"}, "bad_frame"),
    ({"type": ["message"], "id": "1"}, "bad_frame"),
    ({"type": "no_such_type", "id": "1"}, "bad_frame"),
    ({"type": "log.stored", "id": "1"}, "bad_frame"),
]
LIVE_FRAMES = [
    ({"type": "message", "data": {"content": "without id"}}, "bad_frame"),
    ({"type": "message", "id": "", "data": {"content": "a"}}, "bad_frame"),
    ({"type": "message", "id": "x" * 91, "data": {"content": "a"}}, "bad_frame"),
    ({"type": "message", "id": "nul\0", "data": {"content": "a"}}, "bad_frame"),
    ({"type": "message", "id": {"a": 1}, "data": {"content": "a"}}, "bad_frame"),
    ({"type": "message", "id": "1"}, "invalid"),
    ({"type": "message", "id": "1", "data": None}, "invalid"),
    ({"type": "message", "id": "1", "data": []}, "invalid"),
    ({"type": "message", "id": "1", "data": "a"}, "invalid"),
    ({"type": "message", "id": "1", "data": {"content": 7}}, "invalid"),
    ({"type": "message", "id": "1", "data": {"content": None}}, "invalid"),
    ({"type": "message", "id": "1", "data": {"content": "a", "more": 1}}, "invalid"),
    ({"type": "message", "id": "1", "data": {"content": "nul \0"}}, "invalid"),
    ({"type": "message", "id": "1", "data": {"content": "x" * 20_000}}, "invalid"),
    ({"type": "subscribe", "id": "1", "data": {"after": -1}}, "invalid"),
    ({"type": "subscribe", "id": "1", "data": {"after": "0"}}, "invalid"),
    ({"type": "subscribe", "id": "1", "data": {"after": True}}, "invalid"),
    ({"type": "subscribe", "id": "1", "data": {"epoch": 7}}, "invalid"),
    ({"type": "subscribe", "id": "1", "data": [1]}, "invalid"),
    ({"type": "received", "id": "1", "data": 7}, "invalid"),
    ({"type": "token_refresh", "id": "1", "data": {}}, "invalid"),
    ({"type": "token_refresh", "id": "1", "data": {"token": "nonsense"}}, "unauthenticated"),
    ({"type": "task:submit", "id": "1", "data": {"query": "a"}}, "invalid"),
]
TOPICS = [
    7,
    None,
    "",
    "chat",
    "chat.",
    "nowhere.1",
    "chat.nonsense",
    "chat.\0",
    "chat." + "x" * 50_000,
    {"a": 1},
    ["chat"],
]


def without_traceback(server, before):
    """What the server printed since; bad input is the client's affair and prints no traceback."""
    printed = server.tail(10**7)[before:]
    assert "Traceback" not in printed, printed


async def error_for(socket, frame):
    """The next error, whether it names the frame or not."""
    frame_id = frame.get("id") if isinstance(frame, dict) else None
    await socket.send(frame)
    if isinstance(frame_id, str):
        return await socket.answer(frame_id)
    return await socket.frame("error")


@one_store
@pytest.mark.parametrize("part", [0, 1])
async def test_what_is_no_frame_is_answered_in_words(bob, room, connect, server, part):
    before = len(server.tail(10**7))
    socket = await connect(bob, follow=room.topic)
    for frame, code in FRAMES[part::2]:
        error = await error_for(socket, frame)
        assert (error["type"], error["data"]["code"]) == ("error", code), frame
        assert error["data"]["message"].endswith("."), error
    assert (await socket.ask("ping"))["type"] == "pong"
    without_traceback(server, before)


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_a_wrong_value_is_answered_by_its_id(bob, room, connect, api, server, part):
    before = len(server.tail(10**7))
    socket = await connect(bob, follow=room.topic)
    for frame, code in LIVE_FRAMES[part::3]:
        error = await error_for(socket, {"topic": room.topic} | frame)
        assert (error["type"], error["data"]["code"]) == ("error", code), frame
        assert error["data"]["message"]
    assert (await socket.ask("message", room.topic, content="still here"))["type"] == "ack"
    assert [e["type"] for e in await api(bob).events(room.topic)] == ["member_added", "message"]
    without_traceback(server, before)


@pytest.mark.parametrize("type", ["subscribe", "message"])
async def test_a_topic_that_is_none_is_not_found(bob, room, connect, server, type):
    before = len(server.tail(10**7))
    socket = await connect(bob)
    for name in TOPICS:
        id = uuid4().hex
        await socket.send(
            {"type": type, "id": id, "topic": name, "data": {"content": "a"} if type == "message" else {}}
        )
        error = await socket.answer(id)
        assert error["data"]["code"] == ("bad_frame" if type == "message" and name is None else "not_found"), name
        assert len(error["data"]["message"]) < 200
    without_traceback(server, before)


@pytest.mark.variants("uvicorn")
async def test_a_foreign_topic_looks_like_one_that_does_not_exist(mallory, room, team, connect, api):
    socket = await connect(mallory)
    missing = f"chat.{uuid4()}"
    for type, data in [
        ("subscribe", {"after": 0}),
        ("message", {"content": "let me in"}),
        ("typing", {"active": True}),
    ]:
        foreign = (await socket.ask(type, room.topic, **data))["data"]
        unknown = (await socket.ask(type, missing, **data))["data"]
        assert foreign["code"] == unknown["code"] == "not_found"
        assert foreign["message"].replace(room.topic, "…") == unknown["message"].replace(missing, "…")
    page = await api(mallory).get("/api/v1/events/", params={"topic": room.topic})
    other = await api(mallory).get("/api/v1/events/", params={"topic": missing})
    assert page.status_code == other.status_code == 404
    assert page.text.replace(room.topic, "…") == other.text.replace(missing, "…")
    assert (await api(mallory).send_frame("message", room.topic, content="a")).status_code == 404


async def test_a_viewer_reads_and_does_not_write(victor, team, connect):
    socket = await connect(victor, follow=team.topic)
    refused = await socket.ask("task:submit", team.topic, query="uptime")
    assert refused["data"]["code"] == "forbidden"


@one_store
async def test_a_binary_frame_is_the_same_json(bob, room, connect):
    socket = await connect(bob, follow=room.topic)
    await socket.send(
        json.dumps({"type": "message", "id": "b1", "topic": room.topic, "data": {"content": "é"}}).encode()
    )
    assert (await socket.answer("b1"))["type"] == "ack"
    assert (await socket.events(1))[0]["data"]["content"] == "é"


@one_store
async def test_text_that_is_not_utf8_ends_only_its_own_socket(bob, room, connect, api, server):
    before = len(server.tail(10**7))
    socket = await connect(bob, follow=room.topic)
    other = await connect(bob, follow=room.topic)
    await socket.connection.send(b"\xff\xfe", text=True)
    assert await socket.closed() in (1007, 1006)  # daphne hangs up without a word
    await say(api(bob), room.topic, "the others go on")
    assert len(await other.events(1)) == 1
    without_traceback(server, before)


@one_store
async def test_a_frame_that_is_too_large_is_refused(bob, room, connect, server):
    before = len(server.tail(10**7))
    socket = await connect(bob, follow=room.topic)
    for content in ("x" * 65_600, "☃" * 30_000):
        await socket.send({"type": "message", "id": "1", "topic": room.topic, "data": {"content": content}})
        await socket.connection.send(json.dumps({"type": "ping", "data": {"x": content}}, ensure_ascii=False))
        for _ in range(2):
            assert (await socket.frame("error"))["data"]["code"] == "too_large"
    assert (await socket.ask("ping"))["type"] == "pong"
    without_traceback(server, before)


@one_store
async def test_a_frame_far_too_large_ends_the_socket_and_nothing_else(bob, room, connect, api, server):
    watcher = await connect(bob, follow=room.topic)
    socket = await connect(bob)
    with suppress(Exception):  # The server may have hung up already.
        await socket.connection.send("x" * 5_000_000)
    assert await socket.closed() in (1009, 4413, 1006)
    await say(api(bob), room.topic, "the others go on")
    assert len(await watcher.events(1)) == 1


@one_store
async def test_an_agent_may_send_larger_frames(agent_key, connect, server):
    socket = await connect(agent_key)
    big = "x" * 200_000
    await socket.send({"type": "no_such_type", "id": "big", "data": {"x": big}})
    assert (await socket.answer("big"))["data"]["code"] == "bad_frame"
    await socket.send({"type": "no_such_type", "id": "huge", "data": {"x": big * 6}})
    if server.variant.web == "uvicorn":
        assert (await socket.frame("error"))["data"]["code"] == "too_large"
    else:
        assert await socket.closed() in (1006, 1009)  # daphne's own limit is 1 MiB too


@one_store
async def test_ten_thousand_junk_frames_hurt_nobody_else(alice, bob, room, connect, api, server):
    """The sender is cut off, in words; the server answers the others meanwhile."""
    before = len(server.tail(10**7))
    watcher = await connect(bob, follow=room.topic)
    vandal = await connect(bob)
    sent = 0
    try:
        for sent in range(10_000):
            await vandal.connection.send(f'{{"type": "junk", "id": "{sent}"')
    except Exception:
        pass
    assert sent < 10_000
    assert await vandal.closed() in (4400, 4429, 1006)  # who only talks may not hear the close frame
    await say(api(alice), room.topic, "all is well")
    assert (await watcher.events(1, timeout=5))[0]["data"]["content"] == "all is well"
    assert (await api().get("/health")).status_code == 200
    without_traceback(server, before)


HTTP_BODIES = [
    (b"", 400), (b"nonsense", 400), (b"{", 400), (b"null", 400), (b"7", 400), (b'"a"', 400), (b"{}", 400), (b"[[]]", 200),
    (b"NaN", 400), (b"\xff\xfe", 400), (b'{"type": "message", "id": "1", "data": {"content": NaN}}', 400),
    (b"[" * 60_000, 400), (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400), (b'{"type": "message", "id": "\\ud800"}', 400),
    (b'{"type": "message", "id": "\\u0000"}', 400), (b"[" + b"{}," * 200 + b"{}]", 400),
]  # fmt: skip


async def test_bad_bodies_over_http_are_refused_in_words(bob, room, api, server):
    before = len(server.tail(10**7))
    client = api(bob)
    for body, status in HTTP_BODIES:
        answer = await client.post("/api/v1/frames/", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status, (body[:60], answer.text[:300])
        told = answer.json()
        assert told[0]["data"]["code"] if status == 200 else told["error"]["code"] and told["error"]["message"]
    content = {"content": "lone \\ud800 surrogate"}
    body = json.dumps({"type": "message", "id": "1", "topic": room.topic, "data": content}).replace("\\\\", "\\")
    answer = await client.post("/api/v1/frames/", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    huge = await client.post(
        "/api/v1/frames/",
        json={"type": "message", "id": "1", "topic": room.topic, "data": {"content": "x" * 3_000_000}},
    )
    assert huge.status_code in (400, 413)
    without_traceback(server, before)


@pytest.mark.parametrize("query", ["after=-1", "after=a", "after=1.5", "after=99999999999999999999999", "limit=a", "limit=-1", "wait=-1", "wait=a",
                                   "wait=nan", "before=-1", "before=x", "after=1e3"])  # fmt: skip
@pytest.mark.variants("uvicorn-sqlite")
async def test_a_wrong_parameter_of_a_page_is_named(bob, room, api, query):
    answer = await api(bob).get(f"/api/v1/events/?topic={room.topic}&{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["error"]["message"]
