"""Group commit: frames share a transaction, and nothing else."""

import asyncio
import random
import threading
import time
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError, transaction

from apps.accounts.actors import SYSTEM
from apps.accounts.refusals import Conflict, NotFound, Unavailable
from apps.events import dispatch, log, store, writer
from apps.events.dispatch import perform, understand
from apps.events.log import read_after
from apps.events.threads import in_reader, in_writer
from tests.events.story import StoryTopic, carried_out

pytestmark = pytest.mark.usefixtures("transactional_db")


def say(topic, text, id=None):
    """Hand a grouped frame in; its future."""
    frame = {"type": "story:print", "id": id or uuid4().hex, "topic": str(topic), "data": {"text": text}}
    return perform(understand(SYSTEM, frame))


async def outcome(*futures):
    return await asyncio.gather(*futures, return_exceptions=True)


async def story(topic):
    page = await in_reader(read_after, str(topic), 0, None, 10_000)
    return [event.payload["text"] for event in page.events]


@pytest.fixture
def commits(monkeypatch):
    """The size of each group that was committed."""
    sizes = []

    def counting(group):
        sizes.append(len(group))
        return commit(group)

    commit = writer._commit
    monkeypatch.setattr(writer, "_commit", counting)
    return sizes


@pytest.fixture
def looks(monkeypatch):
    """Which refs were looked up, time after time."""
    asked = []

    def asking(refs):
        asked.append(refs)
        return known(refs)

    known = store.known
    monkeypatch.setattr(store, "known", asking)
    return asked


async def test_frames_that_arrive_together_share_a_transaction(topic, commits):
    stored = await outcome(*[say(topic, str(i)) for i in range(300)])

    assert [event.seq for event in stored] == list(range(1, 301))
    assert await story(topic) == [str(i) for i in range(300)]
    assert len(commits) <= 3


async def test_a_group_has_a_most(topic, commits):
    await outcome(*[say(topic, str(i)) for i in range(2_500)])
    assert max(commits) <= writer.GROUP
    assert await story(topic) == [str(i) for i in range(2_500)]


async def test_what_comes_during_a_commit_goes_into_the_next(topic, commits):
    first = say(topic, "a")
    await asyncio.sleep(0)
    later = [say(topic, "b"), say(topic, "c")]
    await outcome(first, *later)
    assert await story(topic) == ["a", "b", "c"]


async def test_a_frame_that_is_refused_does_not_hurt_its_neighbours(topic):
    a, refused, stranger, b = await outcome(
        say(topic, "a"), say(topic, "refuse"), say(StoryTopic(key="secret"), "x"), say(topic, "b")
    )
    assert isinstance(refused, Conflict)
    assert isinstance(stranger, NotFound)
    assert (a.seq, b.seq) == (1, 2)


async def test_a_frame_that_is_refused_and_comes_again_and_is_stored_has_happened(topic):
    both = await outcome(say(topic, "refuse", id="same"), say(topic, "a", id="same"))
    assert [event.seq for event in both] == [1, 1]


async def test_a_handler_that_crashes_does_not_hurt_its_neighbours(topic):
    a, crashed, b = await outcome(say(topic, "a"), say(topic, "crash"), say(topic, "b"))
    assert isinstance(crashed, Unavailable)
    assert (a.seq, b.seq) == (1, 2)


async def test_a_frame_that_cannot_be_stored_does_not_hurt_its_neighbours(topic):
    async with asyncio.timeout(10):
        a, failed, b = await outcome(say(topic, "a"), say(topic, "foreign"), say(topic, "b"))
    assert isinstance(failed, Unavailable)
    assert (a.seq, b.seq) == (1, 2)
    assert (await say(topic, "c")).seq == 3


async def test_the_same_frame_twice_in_one_group_happens_once(topic):
    first, again, other = await outcome(say(topic, "a", id="1"), say(topic, "a", id="1"), say(topic, "b", id="2"))
    assert (first.seq, again.seq, other.seq) == (1, 1, 2)
    assert carried_out == ["a", "b"]


async def test_a_frame_resent_later_is_answered_with_what_it_became(topic):
    stored = await say(topic, "a", id="1")
    await say(topic, "b")
    again = await say(topic, "a", id="1")
    assert (again.seq, again.encoded) == (stored.seq, stored.encoded)
    assert await story(topic) == ["a", "b"]


async def test_a_frame_that_was_taken_is_answered_again_also_when_it_would_be_refused_now(topic):
    stored = await say(topic, "a", id="1")
    again, new = await outcome(say(topic, "refuse", id="1"), say(topic, "refuse", id="2"))
    assert (again.seq, type(new)) == (stored.seq, Conflict)


async def test_whether_a_frame_has_happened_is_asked_only_when_one_has(topic, looks, caplog):
    await outcome(*[say(topic, str(i), id=str(i)) for i in range(3)])
    assert looks == []
    again, new = await outcome(say(topic, "0", id="0"), say(topic, "3", id="3"))
    assert (again.seq, new.seq, len(looks)) == (1, 4, 1)
    assert not caplog.records, "that is no trouble"


async def test_whatever_comes_again_over_whichever_process_happens_once(topic, monkeypatch):
    """Two group writers, as two processes have them; frames that are sent up to four times, also before the answer."""
    chance = random.Random(7)
    processes = [writer.GroupWriter(), writer.GroupWriter()]
    ids = [str(n) for n in range(60) for _ in range(chance.randint(1, 4))]
    chance.shuffle(ids)
    answers = []
    while ids:
        for id in ids[: (burst := chance.randint(1, 25))]:
            monkeypatch.setattr(dispatch, "_group_writer", chance.choice(processes))
            answers.append((id, say(topic, id, id=id)))
        del ids[:burst]
        await asyncio.sleep(chance.choice((0, 0.001, 0.005)))
    stored = await outcome(*[answer for _, answer in answers])

    told = await story(topic)
    assert sorted(told) == sorted({id for id, _ in answers})
    assert [told[event.seq - 1] for event in stored] == [id for id, _ in answers]


async def test_an_id_that_comes_twice_in_one_group_for_two_things_happens_once(topic, monkeypatch):
    def of_another_story(call, before):
        raise Conflict("You have used this id for another story.")

    monkeypatch.setattr(dispatch.Call, "check_repeats", of_another_story)
    first, other = await outcome(say(topic, "a", id="1"), say(topic, "b", id="1"))
    assert (first.seq, type(other)) == (1, Conflict)


async def test_one_id_on_two_topics_is_two_frames(topic):
    other = StoryTopic(key=uuid4().hex)
    stored = await outcome(say(topic, "a", id="1"), say(other, "b", id="1"))
    assert [event.seq for event in stored] == [1, 1]
    assert (await story(topic), await story(other)) == (["a"], ["b"])


async def test_many_topics_in_one_group_keep_each_its_order(topic):
    topics = [topic, *[StoryTopic(key=uuid4().hex) for _ in range(4)]]
    await outcome(*[say(t, str(i)) for i in range(40) for t in topics])
    for t in topics:
        assert await story(t) == [str(i) for i in range(40)]


async def test_a_frame_that_becomes_nothing_is_answered(topic):
    nothing, a = await outcome(say(topic, "nothing"), say(topic, "a"))
    assert isinstance(nothing, Unavailable)
    assert a.seq == 1


async def test_a_sender_that_has_gone_leaves_its_frame_behind(topic):
    gone, a = say(topic, "gone"), say(topic, "a")
    gone.cancel()
    assert (await a).seq == 2
    assert await story(topic) == ["gone", "a"]


async def test_a_ref_that_another_process_stored_in_this_moment_is_found(topic, monkeypatch):
    """Between the look for known refs and the insert, somebody else stores the same frame."""
    known = dispatch.store.known
    interfering = [True]

    def known_too_early(refs):
        found = known(refs)
        if interfering and interfering.pop():
            found = {}
        return found

    def elsewhere():
        with transaction.atomic(), log.said_by("system", "story:print 1", str(topic)):
            from tests.events.story import LineWritten

            log.append(topic, LineWritten(text="a"))

    await in_writer(elsewhere)
    monkeypatch.setattr(dispatch.store, "known", known_too_early)
    again, b = await outcome(say(topic, "a", id="1"), say(topic, "b", id="2"))

    assert (again.seq, b.seq) == (1, 2)
    assert await story(topic) == ["a", "b"]


# A database that has no time


@pytest.fixture
def busy(monkeypatch):
    """`busy.set()`: no group can be stored until `busy.clear()`."""
    is_busy = threading.Event()
    append = writer._append

    def append_if_there_is_time(group, known):
        if is_busy.is_set():
            time.sleep(0.02)  # so that others come while it is tried
            raise OperationalError("database is locked")
        return append(group, known)

    monkeypatch.setattr(writer, "_append", append_if_there_is_time)
    return is_busy


async def say_again_until_it_is_taken(topic, *texts):
    """As a client does: what is refused for now is sent again a little later."""

    async def one(text):
        while True:
            try:
                return await say(topic, text, id=text)
            except Unavailable:
                await asyncio.sleep(0.01)

    await asyncio.gather(*map(one, texts))


async def test_what_follows_a_frame_that_was_refused_for_now_waits_for_it(topic, busy):
    busy.set()
    first = say(topic, "0", id="0")
    await asyncio.sleep(0.01)
    following = [say(topic, text, id=text) for text in "123"]
    refused = await outcome(first, *following)
    assert [(one.code, one.retry_after) for one in refused] == [("unavailable", 1.0)] * 4

    busy.clear()
    late = say(topic, "4", id="4")
    early = say(topic, "2", id="2")
    assert [one.code for one in await outcome(late, early)] == ["unavailable"] * 2
    for text in "01234":
        await say(topic, text, id=text)
    assert await story(topic) == list("01234")
    await say(topic, "5")


async def test_the_order_holds_in_whatever_order_they_come_again(topic, busy):
    busy.set()
    first = say(topic, "0", id="0")
    await asyncio.sleep(0.01)
    await outcome(first, *[say(topic, text, id=text) for text in "1234"])
    busy.clear()
    await say_again_until_it_is_taken(topic, *"53142", "0")
    assert await story(topic) == list("012345")


async def test_it_holds_if_the_database_is_busy_again(topic, busy):
    busy.set()
    await outcome(*[say(topic, text, id=text) for text in "012"])
    busy.clear()
    await say(topic, "0", id="0")
    busy.set()
    assert [one.code for one in await outcome(say(topic, "1", id="1"))] == ["unavailable"]
    busy.clear()
    assert [one.code for one in await outcome(say(topic, "2", id="2"))] == ["unavailable"]
    await say_again_until_it_is_taken(topic, "2", "1")
    assert await story(topic) == list("012")


async def test_others_do_not_wait_for_it(topic, busy):
    other = StoryTopic(key=uuid4().hex)
    busy.set()
    await outcome(say(topic, "0", id="0"))
    busy.clear()
    assert (await say(other, "a")).seq == 1
    assert [one.code for one in await outcome(say(topic, "1"))] == ["unavailable"]


async def test_who_leaves_a_frame_out_waits_only_so_long(topic, busy, monkeypatch):
    monkeypatch.setattr(writer, "HELD_SECONDS", 0.05)
    busy.set()
    await outcome(say(topic, "0", id="0"))
    busy.clear()
    await say_again_until_it_is_taken(topic, "1", "2")
    assert sorted(await story(topic)) == ["1", "2"]


async def test_nothing_in_a_group_overtakes_what_is_refused_for_now(topic, monkeypatch):
    """The group falls apart, and its frames are stored one by one; the database has no time for the second."""
    append = writer._append
    texts = []

    def odd(group, known):
        if len(group) > 1:
            raise IntegrityError("somebody else has stored one of these")
        texts.append(group[0].ref[2])
        if "b" in group[0].ref[2]:
            raise OperationalError("database is locked")
        return append(group, known)

    monkeypatch.setattr(writer, "_append", odd)
    a, b, c = await outcome(*[say(topic, text, id=text) for text in "abc"])
    assert (a.seq, b.retry_after, c.retry_after) == (1, 1.0, 1.0)
    assert len(texts) == 1 + writer.TRIES
