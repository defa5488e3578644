"""Filtered reading on live servers, with both databases: found, refused in words, and nobody else's business."""

import pytest

from tests.gateway.live.conftest import contents, say, seqs

pytestmark = pytest.mark.variants("uvicorn")


async def found(client, topic, **query):
    answer = await client.get("/api/v1/events/", params={"topic": topic} | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(client, topic, **query):
    answer = await client.get("/api/v1/events/", params={"topic": topic} | query)
    return answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["message"]


async def test_messages_are_found_by_their_words(alice, bob, room, api):
    for text in ("Der Zug fährt", 'he said "no" \\o/', "nothing", "DER ZUG FÄHRT AB"):
        await say(api(alice), room.topic, text)
    page = await found(api(bob), room.topic, match="zug fährt", type="message")
    assert contents(page["events"]) == ["Der Zug fährt", "DER ZUG FÄHRT AB"]
    assert page["scanned_to"] == page["head"]
    assert contents((await found(api(bob), room.topic, match='"no" \\O/'))["events"]) == ['he said "no" \\o/']
    assert contents((await found(api(bob), room.topic, **{"where.content": "nothing"}))["events"]) == ["nothing"]
    assert seqs((await found(api(bob), room.topic, type="member_added"))["events"]) == [1]
    places = await found(api(bob), room.topic, match="zug", places=1)
    assert len(places["places"]) == 2 and "events" not in places


async def test_a_long_log_is_looked_through_bit_by_bit(alice, team, server, api):
    run = server.do("tests.support.logs:run_with_log", alice.id, str(team.id), 20_000)
    server.do("tests.support.logs:print_all", run["id"], [("lint", "a nee"), ("build", "hay\n"), ("lint", "dle\n")])
    after, head, events = 0, None, []
    while after != head:
        page = await found(api(alice), run["topic"], after=after, match="a needle", **{"where.step": "lint"})
        assert page["scanned_to"] > after
        after, head = page["scanned_to"], page["head"]
        events += page["events"]
    assert [event["data"]["text"] for event in events] == ["a nee", "dle\n"]


async def test_bad_questions_are_refused_in_words(alice, room, api):
    for query, named in [
        ({"match": ""}, "match"),
        ({"match": "x", "before": 3}, "before"),
        ({"type": "nothing"}, "type"),
        ({"where.": "x"}, "where."),
        ({"places": "1"}, "places"),
    ]:
        status, code, message = await refused(api(alice), room.topic, **query)
        assert (status, code) == (400, "invalid")
        assert named in message


async def test_a_stranger_finds_nothing_and_learns_nothing(alice, mallory, room, api):
    await say(api(alice), room.topic, "a secret")
    missing = await refused(api(mallory), "chat.00000000-0000-4000-8000-000000000000", match="secret")
    hidden = await refused(api(mallory), room.topic, match="secret", places=1)
    assert hidden[:2] == missing[:2] == (404, "not_found")
    assert (await refused(api(), room.topic, match="secret"))[:2] == (401, "unauthenticated")
