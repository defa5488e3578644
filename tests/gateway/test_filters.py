"""The log read with a filter over HTTP: only what matches, how far was looked, and words for what cannot be asked."""

import asyncio
import threading

import pytest

from apps.events import log
from apps.gateway import limits
from tests.gateway.conftest import LOG, refusal, texts, until

pytestmark = pytest.mark.usefixtures("hub")


async def test_only_what_matches_comes_with_how_far_was_looked(poll, topic, write):
    await write(topic, "a Needle", "hay", 'needle "two"', "hay")
    page = (await poll(after=0, match="needle")).json()
    assert [event["seq"] for event in page["events"]] == [1, 3]
    assert (page["scanned_to"], page["head"], page["reset"]) == (4, 4, False)
    assert texts(await poll(after=1, match="needle")) == ['needle "two"']
    assert texts(await poll(after=0, match=["needle", "two"])) == ['needle "two"']
    assert texts(await poll(after=0, match='"TWO"')) == ['needle "two"']


async def test_its_events_are_the_same_bytes(poll, topic, write):
    await write(topic, "snow ☃", "</script>\u2028")
    events = (await poll(after=0)).content.partition(b'"events":')[2]
    assert (await poll(after=0, type="story_line")).content.partition(b'"events":')[2] == events


async def test_without_a_filter_nothing_is_said_of_looking(poll, topic, write):
    await write(topic, "a")
    assert "scanned_to" not in (await poll(after=0)).json()


async def test_by_type_and_by_a_field(poll, topic, write):
    await write(topic, "a", "b", "a")
    assert texts(await poll(after=0, **{"where.text": "a"})) == ["a", "a"]
    assert texts(await poll(after=0, **{"where.text": ["a", "b"]}, type=["story_line", "tale_told"])) == ["a", "b", "a"]
    assert texts(await poll(after=0, type="tale_told")) == []
    assert texts(await poll(after=0, **{"where.nothing": ""})) == []


async def test_places_in_place_of_events(poll, topic, write):
    await write(topic, "needle", "needle", "hay", "needle")
    page = (await poll(after=0, match="needle", places=1)).json()
    assert (page["places"], page["scanned_to"]) == ([[1, 2], [4, 4]], 4)
    assert "events" not in page


async def test_a_cursor_that_is_gone_is_reset(poll, topic, write):
    await write(topic, "a")
    page = (await poll(after=1, epoch="elsewhere", match="a", places=1)).json()
    assert (page["reset"], page["events"]) == (True, [])
    assert "scanned_to" not in page


async def test_a_long_poll_is_answered_with_what_matches_of_the_news(poll, topic, write, hub):
    await write(topic, "needle")
    waiting = asyncio.create_task(poll(after=1, wait=20, match="needle"))
    await until(lambda: str(topic) in hub._followed)
    await write(topic, "hay", "a needle")
    async with asyncio.timeout(5):
        page = (await waiting).json()
    assert ([event["seq"] for event in page["events"]], page["scanned_to"]) == ([3], 3)


async def test_what_cannot_be_asked_is_refused_in_words(poll):
    for asked, named in [
        ({"match": ""}, "match"),
        ({"match": "x" * 201}, "match"),
        ({"match": ["x"] * 9}, "match"),
        ({"type": "nothing"}, "type"),
        ({"type": ""}, "type"),
        ({"where.": "x"}, "where."),
        ({"where.A b": "x"}, "where."),
        ({"where.a.b": "x"}, "where."),
        ({"where.text": "x" * 201}, "where.text"),
        ({f"where.f{n}": "x" for n in range(9)}, "where."),
        ({"match": "x", "before": 5}, "before"),
        ({"places": "1"}, "places"),
        ({"match": "x", "places": "yes"}, "places"),
        ({"match": "x", "after": "-1"}, "after"),
    ]:
        status, code, message = refusal(await poll(**asked))
        assert (status, code) == (400, "invalid"), asked
        assert named in message and message.endswith((".", "?")), message


async def test_odd_texts_are_looked_for_and_harm_nothing(poll, topic, write):
    await write(topic, "plain")
    for odd in ("\0", "%", "_", "' OR 1=1 --", "\\", "☃", "\ud83d".encode("utf-8", "replace").decode(), "[", "\n"):
        assert texts(await poll(after=0, match=odd)) == [], odd
        assert texts(await poll(after=0, **{"where.text": odd})) == [], odd


async def test_who_asks_too_often_is_told_when_to_come_back(poll, topic, write, settings):
    settings.LIMITS = settings.LIMITS | {"filtered_reads_per_second": 2}
    await write(topic, "a")
    answers = [await poll(after=0, match="a") for _ in range(4)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    status, code, message = refusal(answers[-1])
    assert (status, code) == (429, "too_fast")
    assert "filter" in message
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert (await poll(after=0)).status_code == 200, "others pages are not counted"


async def test_one_question_of_a_person_is_looked_for_at_a_time(poll, topic, write, monkeypatch):
    """The thread that looks is everybody's."""
    may_end, read = threading.Event(), log.read_filtered

    def slowly(*args):
        may_end.wait(5)
        return read(*args)

    await write(topic, "a")
    monkeypatch.setattr(log, "read_filtered", slowly)
    first = asyncio.create_task(poll(after=0, match="a"))
    await until(lambda: limits._places_taken)
    second = await poll(after=0, match="a")
    assert refusal(second)[:2] == (429, "too_fast")
    assert second.headers["retry-after"] == "1" and second.json()["error"]["retry_after"] < 1
    may_end.set()
    assert texts(await first) == texts(await poll(after=0, match="a")) == ["a"]


async def test_a_stranger_is_answered_as_if_there_were_nothing(http, poll, topic):
    hidden = refusal(await poll(topic="story.secret_1", match="a"))
    missing = refusal(await poll(topic="nowhere.1", match="a"))
    assert hidden[:2] == missing[:2] == (404, "not_found")
    assert refusal(await http.get(LOG, params={"topic": str(topic), "match": "a"}))[0] == 401
