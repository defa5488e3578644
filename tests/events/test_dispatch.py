"""The way in: what is understood, what is allowed, what happens once."""

import asyncio
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import connection

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.models import AuditEntry
from apps.accounts.refusals import BadFrame, Conflict, Forbidden, Invalid, NotFound, Refusal
from apps.events import dispatch, log
from apps.events.dispatch import handles, perform, perform_sync, understand
from apps.events.log import read_after
from apps.events.models import TYPE_LENGTH, StoredEvent
from apps.events.threads import in_writer
from tests.events.story import StoryTopic, WriteLine, carried_out

pytestmark = pytest.mark.usefixtures("transactional_db")


def frame(topic, text="a", *, type="story:write", id=None, **more):
    return {"type": type, "id": id or uuid4().hex, "topic": str(topic), "data": {"text": text}} | more


def texts(topic):
    return [event.payload["text"] for event in read_after(str(topic), 0).events]


@pytest.mark.parametrize("inbound", [None, 7, "story:write", [], [{}], True, {}, {"type": "story:write"}])
def test_what_is_no_frame_is_refused(inbound):
    with pytest.raises(BadFrame):
        understand(SYSTEM, inbound)


@pytest.mark.parametrize(
    "type", [None, 7, "", "nonsense", "story_line", "STORY:WRITE", ["story:write"], {"a": 1}, "x" * 10_000]
)
def test_an_unknown_type_is_refused(topic, type):
    with pytest.raises(BadFrame) as refused:
        understand(SYSTEM, frame(topic) | {"type": type})
    assert len(refused.value.message) < 150


@pytest.mark.parametrize("id", [None, "", "x" * 91, 1.5, True, [], {}, "a\0b", "\ud800", "line\nfeed\0"])
def test_an_id_that_is_no_name_is_refused(topic, id):
    with pytest.raises(BadFrame):
        understand(SYSTEM, frame(topic) | {"id": id})


@pytest.mark.parametrize("id", ["1", "x" * 90, 7, "zwölf", "a b", "🚂"])
def test_an_id_is_the_senders_own(topic, id):
    assert understand(SYSTEM, frame(topic) | {"id": id}).id == str(id)


def test_the_longest_type_and_the_longest_id_fit_into_the_log(topic):
    assert perform_sync(SYSTEM, frame(topic, "a", id="x" * 90))["seq"] == 1
    stored = StoredEvent.objects.get(topic=str(topic))
    assert stored.ref == "story:write " + "x" * 90
    assert max(map(len, dispatch.declare.frames)) <= TYPE_LENGTH


def test_a_missing_topic_is_refused(topic):
    without = frame(topic)
    del without["topic"]
    with pytest.raises(BadFrame, match="story.{key}"):
        understand(SYSTEM, without)


@pytest.mark.parametrize("name", [7, "", "story", "story.a.b", "nowhere.a", ["story.a"], "x" * 100_000])
def test_an_unknown_topic_is_not_found(topic, name):
    with pytest.raises(NotFound):
        understand(SYSTEM, frame(topic) | {"topic": name})


def test_a_frame_on_another_kind_of_topic_is_invalid(topic):
    with pytest.raises(Invalid):
        understand(SYSTEM, frame("tale.a"))


def test_a_frame_becomes_an_event_and_is_answered_with_it(topic):
    told = perform_sync(SYSTEM, frame(topic, "a"))
    assert told == {"topic": str(topic), "seq": 1, "data": {"text": "a"}}
    assert texts(topic) == ["a"]


def test_a_stranger_gets_the_answer_of_a_topic_that_does_not_exist():
    with pytest.raises(NotFound) as hidden:
        perform_sync(SYSTEM, frame("story.secret1"))
    with pytest.raises(NotFound) as missing:
        perform_sync(SYSTEM, frame("nowhere.secret1"))
    assert hidden.value.message.replace("story", "nowhere") == missing.value.message


def test_a_role_that_is_too_low_is_forbidden():
    with pytest.raises(Forbidden, match="operator"):
        perform_sync(SYSTEM, frame("story.quiet1"))
    assert carried_out == []


def test_a_refused_frame_leaves_nothing_but_the_audit(topic):
    with pytest.raises(Conflict):
        perform_sync(SYSTEM, frame(topic, "refuse"))
    assert texts(topic) == []
    assert AuditEntry.objects.filter(action="refused story:write", target=str(topic)).exists()


def test_a_handler_that_crashes_leaves_nothing(topic):
    with pytest.raises(RuntimeError):
        perform_sync(SYSTEM, frame(topic, "crash"))
    assert texts(topic) == []
    assert perform_sync(SYSTEM, frame(topic, "a"))["seq"] == 1


def test_a_whisper_is_answered_without_a_seq(topic):
    assert perform_sync(SYSTEM, {"type": "story:pen", "id": "1", "topic": str(topic), "data": {"at": 3}}) == {}
    assert not StoredEvent.objects.filter(topic=str(topic)).exists()


@pytest.mark.parametrize("type", ["story:write", "story:print"])
def test_the_same_frame_happens_once_and_is_answered_twice(topic, type):
    first = perform_sync(SYSTEM, frame(topic, "a", type=type, id="1"))
    perform_sync(SYSTEM, frame(topic, "b", type=type))
    again = perform_sync(SYSTEM, frame(topic, "a", type=type, id="1"))
    assert first == again
    assert texts(topic) == ["a", "b"]
    assert carried_out == ["a", "b"]


def test_one_id_for_two_types_is_two_frames(topic):
    assert perform_sync(SYSTEM, frame(topic, "a", id="1"))["seq"] == 1
    assert perform_sync(SYSTEM, frame(topic, "b", type="story:print", id="1"))["seq"] == 2
    assert perform_sync(SYSTEM, frame(topic, "c", id="1"))["seq"] == 1
    assert texts(topic) == ["a", "b"]


def test_a_frame_is_answered_again_as_long_as_its_answer_holds(topic, monkeypatch):
    asked = []

    def check(actor, topic, frame):
        asked.append(frame.text)
        if len(asked) > 1:
            raise Conflict("This line was crossed out.")

    monkeypatch.setattr(dispatch, "_repeat_checks", {})
    dispatch.on_repeat(WriteLine)(check)
    first = perform_sync(SYSTEM, frame(topic, "a", id="1"))
    assert asked == []
    assert perform_sync(SYSTEM, frame(topic, "a", id="1")) == first
    with pytest.raises(Conflict, match="crossed out"):
        perform_sync(SYSTEM, frame(topic, "a", id="1"))
    assert texts(topic) == ["a"]


def test_a_refused_frame_may_be_tried_again(topic):
    with pytest.raises(Conflict):
        perform_sync(SYSTEM, frame(topic, "refuse", id="1"))
    assert perform_sync(SYSTEM, frame(topic, "a", id="1"))["seq"] == 1


def test_two_senders_may_use_one_id(topic, alice, bob):
    assert perform_sync(Actor(user=alice), frame(topic, "a", id="1"))["seq"] == 1
    assert perform_sync(Actor(user=bob), frame(topic, "b", id="1"))["seq"] == 2
    assert {e.sender for e in StoredEvent.objects.filter(topic=str(topic))} == {f"user:{alice.pk}", f"user:{bob.pk}"}


def test_a_grouped_frame_that_becomes_nothing_is_refused_over_http_too(topic):
    with pytest.raises(Refusal):
        perform_sync(SYSTEM, frame(topic, "nothing", type="story:print"))


@pytest.mark.parametrize("type", ["story:write", "story:print"])
def test_the_same_frame_at_the_same_time_happens_once(topic, type):
    start, answers = Barrier(6), []

    def send(id):
        try:
            start.wait()
            answers.append((id, perform_sync(SYSTEM, frame(topic, id, type=type, id=id))["seq"]))
        finally:
            connection.close()

    threads = [Thread(target=send, args=[id]) for id in ("1", "2") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 6
    assert len(set(answers)) == 2
    assert sorted(texts(topic)) == ["1", "2"]


async def test_the_same_frame_alone_and_grouped_at_the_same_time_happens_once(topic):
    """Over HTTP it has a transaction of its own, on the socket it shares one."""
    inbound = frame(topic, "a", type="story:print", id="1")
    alone = [asyncio.ensure_future(in_writer(perform_sync_here, inbound)) for _ in range(4)]
    grouped = [perform(understand(SYSTEM, inbound)) for _ in range(4)]
    seqs = [told["seq"] for told in await asyncio.gather(*alone)] + [e.seq for e in await asyncio.gather(*grouped)]
    assert set(seqs) == {1}
    assert await in_writer(texts, topic) == ["a"]


def perform_sync_here(inbound):
    """`perform_sync` in the thread it would choose itself."""
    return dispatch.ack(dispatch._carry_out(understand(SYSTEM, inbound)))


def test_two_handlers_for_one_frame_are_refused():
    with pytest.raises(dispatch.declare.DeclarationError):

        @handles(WriteLine)
        def another(actor, topic, frame):
            pass


def test_a_goodbye_that_fails_hurts_no_other(monkeypatch):
    heard = []

    def broken(actor):
        raise RuntimeError("a bug in a feature")

    def good(actor):
        heard.append((actor, connection.in_atomic_block))

    monkeypatch.setattr(dispatch, "_goodbyes", [broken, good])
    dispatch.say_goodbye(SYSTEM)
    assert heard == [(SYSTEM, True)]


def test_events_on_many_topics_in_one_frame_keep_their_order(topic):
    a, b = StoryTopic(key="a" + uuid4().hex), StoryTopic(key="b" + uuid4().hex)
    from tests.events.story import LineWritten

    with dispatch.transaction.atomic():
        log.append_all([log.Draft(t, LineWritten(text=str(i)), "system") for i, t in enumerate([b, a, b, a])])
    assert (texts(a), texts(b)) == (["1", "3"], ["0", "2"])
