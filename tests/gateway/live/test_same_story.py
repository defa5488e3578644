"""Push, replay and polling tell the same story, byte for byte, whatever happens to hints."""

import asyncio
import json

from tests.gateway.live.conftest import contents, raw_events, say, seqs, write_elsewhere


async def test_push_replay_and_polling_are_the_same_bytes(alice, bob, room, connect, api):
    watcher = await connect(bob, follow=room.topic)
    await watcher.pause()
    pushed, texts = [], ["one", 'a "quoted" ☃ 🚂', "back\\slash\nfeed", "</script>\u2028", "x" * 5_000]
    for text in texts:
        await say(api(alice), room.topic, text)
    async with asyncio.timeout(10):
        while len(pushed) < len(texts):
            pushed += raw_events(await watcher.connection.recv())

    other = await connect(bob)
    await other.pause()
    await other.send({"type": "subscribe", "id": "1", "topic": room.topic, "data": {"after": 1}})
    replayed = []
    async with asyncio.timeout(10):
        while len(replayed) < len(texts):
            replayed += raw_events(await other.connection.recv())

    polled = await api(bob).get("/api/v1/events/", params={"topic": room.topic, "after": 1})

    assert [json.loads(event)["data"]["content"] for event in pushed] == texts
    assert pushed == replayed == raw_events(polled.text)


async def test_a_compressed_batch_says_the_same(alice, bob, room, connect, api, server):
    write_elsewhere(server, room.topic, *["signal " * 20 + str(i) for i in range(40)])
    plain = await connect(bob, follow=room.topic, after=0)
    packed = await connect(None)
    await packed.ask("auth", token=bob.token, compress=True)
    await packed.follow(room.topic, 0)
    assert await packed.events(41) == await plain.events(41)


async def test_a_cursor_gets_exactly_what_follows(bob, room, connect, server):
    write_elsewhere(server, room.topic, *"abcdefgh")
    late = await connect(bob, follow=room.topic, after=5)
    assert seqs(await late.events(4)) == [6, 7, 8, 9]
    new = await connect(bob, follow=room.topic)
    await new.no_events(0.2)


async def test_what_another_process_appends_arrives_in_time_and_order(alice, bob, room, connect, api, server):
    """In embedded mode its hints reach nobody: the look at the heads finds them, and the gap before the next hint."""
    watcher = await connect(bob, follow=room.topic, after=1)
    write_elsewhere(server, room.topic, "a", "b")
    await say(api(alice), room.topic, "c")
    assert contents(await watcher.events(3)) == ["a", "b", "c"]
    write_elsewhere(server, room.topic, "the last hint")
    assert contents(await watcher.events(1, timeout=3)) == ["the last hint"]


async def test_who_knows_more_than_the_server_is_not_reset(bob, room, connect, api, server):
    """Somebody polls what another process wrote, and opens a socket before this one has heard of it."""
    follower = await connect(bob, follow=room.topic, after=1)
    seq = write_elsewhere(server, room.topic, "a", "b", "c")
    page = await api(bob).page(room.topic, 0)
    assert page["head"] == seq

    ahead = await connect(bob)
    subscribed = await ahead.follow(room.topic, after=seq, epoch=page["epoch"])
    assert subscribed["data"]["recovered"] is True
    write_elsewhere(server, room.topic, "d")
    assert contents(await ahead.events(1)) == ["d"]
    assert contents(await follower.events(4)) == ["a", "b", "c", "d"]


async def test_a_cursor_of_another_life_is_reset(bob, room, connect, api, server):
    seq = write_elsewhere(server, room.topic, "a", "b")
    socket = await connect(bob)
    subscribed = await socket.follow(room.topic, after=1, epoch="elsewhere")
    assert subscribed["data"]["recovered"] is False
    reset = (await socket.frame("reset"))["data"]
    assert (reset["head"], reset["topic"]) == (seq, room.topic)
    assert reset["epoch"] != "elsewhere"

    write_elsewhere(server, room.topic, "c")
    assert seqs(await socket.events(1)) == [seq + 1]
    page = await api(bob).page(room.topic, 1, epoch="elsewhere")
    assert page["reset"] is True and page["events"] == [] and page["head"] == seq + 1


async def test_a_cursor_ahead_of_the_log_is_reset(bob, room, connect, server):
    seq = write_elsewhere(server, room.topic, "a")
    socket = await connect(bob)
    assert (await socket.follow(room.topic, after=seq + 5))["data"]["recovered"] is False
    assert (await socket.frame("reset"))["data"]["head"] == seq


async def test_a_new_epoch_resets_who_is_connected(bob, room, connect, server):
    socket = await connect(bob)
    before = (await socket.follow(room.topic))["data"]["epoch"]
    server.do("tests.gateway.live.elsewhere:start_epoch", room.topic)
    reset = (await socket.frame("reset", timeout=5))["data"]
    assert reset["epoch"] != before
    seq = write_elsewhere(server, room.topic, "after")
    assert seqs(await socket.events(1)) == [seq]


async def test_a_pruned_cursor_is_reset(bob, room, connect, api, server):
    seq = write_elsewhere(server, room.topic, *"abcdefghij")
    server.do("tests.gateway.live.elsewhere:prune", room.topic, 3)
    socket = await connect(bob)
    assert (await socket.follow(room.topic, after=2))["data"]["recovered"] is False
    assert (await socket.frame("reset"))["data"]["floor"] == seq - 3

    kept = await connect(bob)
    assert (await kept.follow(room.topic, after=seq - 3))["data"]["recovered"] is True
    assert contents(await kept.events(3)) == ["h", "i", "j"]
    page = await api(bob).page(room.topic, 2)
    assert (page["reset"], page["floor"]) == (True, seq - 3)


async def test_a_long_history_is_replayed_in_order(bob, room, connect, api, server):
    """Longer than the ring, than a page, and than a frame."""
    for start in range(0, 3_000, 500):
        server.do("tests.gateway.live.elsewhere:post", room.topic, [str(i) for i in range(start, start + 500)], 100)
    socket = await connect(bob, follow=room.topic, after=1)
    events = await socket.events(3_000, timeout=30)
    assert seqs(events) == list(range(2, 3_002))
    assert [c.rstrip(".") for c in contents(events)] == [str(i) for i in range(3_000)]
    assert seqs(await api(bob).events(room.topic, 1, limit=700)) == seqs(events)


async def test_typing_is_heard_now_and_never_again(alice, bob, room, connect, api):
    watcher = await connect(bob, follow=room.topic)
    typist = await connect(alice)
    assert (await typist.ask("typing", room.topic, active=True))["type"] == "ack"
    whisper = await watcher.frame("typing")
    assert whisper["data"]["active"] is True and "seq" not in whisper
    assert all(event["type"] != "typing" for event in await api(bob).events(room.topic))


async def test_one_socket_follows_many_topics(alice, bob, room, team, connect, api):
    second = (await api(alice).post("/api/v1/chat/sessions/", json={"title": "Another"})).json()["topic"]
    watcher = await connect(alice, follow=room.topic)
    await watcher.follow(second)
    await watcher.follow(team.topic)
    await say(api(alice), second, "there")
    await say(api(alice), room.topic, "here")
    assert {(e["topic"], e["data"]["content"]) for e in await watcher.events(2)} == {
        (second, "there"),
        (room.topic, "here"),
    }
    heads = (await watcher.ask("heads"))["data"]
    assert heads[second] == 1 and set(heads) == {room.topic, second, team.topic}

    await watcher.ask("unsubscribe", second)
    await say(api(alice), second, "nobody hears")
    await watcher.no_events(0.3)


async def test_following_again_goes_on_from_the_given_cursor(bob, room, connect, server):
    write_elsewhere(server, room.topic, "a", "b")
    socket = await connect(bob, follow=room.topic, after=1)
    assert seqs(await socket.events(2)) == [2, 3]
    await socket.follow(room.topic, after=2)
    assert seqs(await socket.events(1)) == [3]
    write_elsewhere(server, room.topic, "c")
    assert seqs(await socket.events(1)) == [4]
    await socket.no_events(0.2)
