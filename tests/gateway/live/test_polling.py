"""Without a socket: short polls that cost nothing, long polls that answer at once, and pages back into history."""

import asyncio
import time

import pytest

from tests.gateway.live.conftest import contents, say, seqs, write_elsewhere

pytestmark = pytest.mark.variants("uvicorn")


async def read(client, topic, headers=None, **query):
    return await client.get("/api/v1/events/", params={"topic": topic} | query, headers=headers)


async def event_reads(client):
    return (await client.get("/api/v1/ws/stats")).json()["stats"]["event_reads"]


async def test_a_page_says_where_the_topic_stands(alice, room, api):
    await say(api(alice), room.topic, "a")
    page = (await read(api(alice), room.topic)).json()
    assert (page["topic"], page["head"], page["floor"], page["reset"]) == (room.topic, 2, 0, False)
    assert page["epoch"] and seqs(page["events"]) == [1, 2]
    assert seqs((await read(api(alice), room.topic, after=1, limit=1)).json()["events"]) == [2]


async def test_nothing_new_is_304_without_reading_events(alice, room, api):
    client = api(alice)
    first = await read(client, room.topic, after=0)
    last = first.json()["head"]
    empty = await read(client, room.topic, after=last, epoch=first.json()["epoch"])
    assert (empty.status_code, empty.json()["events"]) == (200, [])
    assert int(empty.headers["Retry-After"]) >= 1
    tag = empty.headers["ETag"]

    before = await event_reads(client)
    for _ in range(5):
        same = await read(client, room.topic, after=last, epoch=first.json()["epoch"], headers={"If-None-Match": tag})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
        assert int(same.headers["Retry-After"]) >= 1
    assert await event_reads(client) == before

    await say(client, room.topic, "news")
    news = await read(client, room.topic, after=last, headers={"If-None-Match": tag})
    assert (news.status_code, contents(news.json()["events"])) == (200, ["news"])
    assert news.headers["ETag"] != tag and "Retry-After" not in news.headers


async def test_a_tag_of_another_cursor_is_no_304(alice, room, api):
    client = api(alice)
    tag = (await read(client, room.topic, after=1)).headers["ETag"]
    assert (await read(client, room.topic, after=0, headers={"If-None-Match": tag})).status_code == 200
    assert (await read(client, room.topic, after=1, epoch="elsewhere", headers={"If-None-Match": tag})).json()[
        "reset"
    ] is True


async def test_a_long_poll_answers_at_once_on_news(alice, bob, room, api):
    waiting = asyncio.create_task(read(api(bob), room.topic, after=1, wait=20))
    await asyncio.sleep(0.4)
    assert not waiting.done()
    started = time.monotonic()
    await say(api(alice), room.topic, "news")
    answer = await waiting
    assert contents(answer.json()["events"]) == ["news"]
    assert time.monotonic() - started < 1


async def test_a_long_poll_with_news_waiting_does_not_wait(alice, room, api):
    started = time.monotonic()
    assert seqs((await read(api(alice), room.topic, after=0, wait=20)).json()["events"]) == [1]
    assert (await read(api(alice), room.topic, after=99, wait=20)).json()["reset"] is True
    assert (await read(api(alice), room.topic, after=0, epoch="elsewhere", wait=20)).json()["reset"] is True
    assert time.monotonic() - started < 3


async def test_a_long_poll_without_news_ends_empty(alice, room, api):
    started = time.monotonic()
    answer = await read(api(alice), room.topic, after=1, wait=1)
    assert (answer.status_code, answer.json()["events"], answer.json()["reset"]) == (200, [], False)
    assert 0.9 < time.monotonic() - started < 4


async def test_a_long_poll_hears_of_another_process_and_of_another_epoch(bob, room, server, api):
    waiting = asyncio.create_task(read(api(bob), room.topic, after=1, wait=10))
    await asyncio.sleep(0.3)
    write_elsewhere(server, room.topic, "from elsewhere")
    page = (await waiting).json()
    assert contents(page["events"]) == ["from elsewhere"]

    waiting = asyncio.create_task(read(api(bob), room.topic, after=2, epoch=page["epoch"], wait=10))
    await asyncio.sleep(0.3)
    server.do("tests.gateway.live.elsewhere:start_epoch", room.topic)
    started = time.monotonic()
    assert (await waiting).json()["reset"] is True
    assert time.monotonic() - started < 4


async def test_many_wait_together(alice, bob, room, api):
    """More than there are threads."""
    clients = [api(alice), api(bob)] * 20  # as many as each may have
    waiting = [asyncio.create_task(read(client, room.topic, after=1, wait=20)) for client in clients]
    await asyncio.sleep(1.0)
    assert (await api().get("/health")).status_code == 200
    await say(api(alice), room.topic, "all of you")
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*waiting)
    assert all(contents(answer.json()["events"]) == ["all of you"] for answer in answers)


async def test_history_is_paged_backwards(alice, room, server, api):
    write_elsewhere(server, room.topic, *"abcdef")
    client = api(alice)
    newest = (await read(client, room.topic, before=8, limit=3)).json()
    assert (seqs(newest["events"]), contents(newest["events"])) == ([5, 6, 7], ["d", "e", "f"])
    assert seqs((await read(client, room.topic, before=5, limit=3)).json()["events"]) == [2, 3, 4]
    assert seqs((await read(client, room.topic, before=2, limit=3)).json()["events"]) == [1]
    assert (await read(client, room.topic, before=1, limit=3)).json()["events"] == []


async def test_who_may_not_is_told_so(mallory, room, api, alice, agent_key):
    assert (await read(api(), room.topic)).status_code == 401
    assert (await read(api(mallory), room.topic)).status_code == 404
    assert (await read(api(agent_key), room.topic)).status_code == 404
    assert (await read(api(alice), "nowhere.1")).status_code == 404
    assert (await read(api(alice), "")).status_code == 400
    assert (await api(alice).get("/api/v1/events/")).status_code == 400
    assert (await api(alice).post("/api/v1/events/", params={"topic": room.topic})).status_code == 405
    assert (await read(api(mallory), room.topic)).json()["error"]["code"] == "not_found"


async def test_a_browser_polls_with_its_cookie(alice, room, server, api):
    session = server.do("tests.support.seed:session_cookie", alice.id)
    answer = await read(api(), room.topic, headers={"Cookie": f"sessionid={session}"})
    assert answer.status_code == 200
    assert "private" in answer.headers["Cache-Control"]
    assert (await read(api(), room.topic, headers={"Cookie": "sessionid=nonsense"})).status_code == 401
