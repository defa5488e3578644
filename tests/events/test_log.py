"""The log: numbered without holes, told after the commit, read both ways."""

import threading
from uuid import uuid4

import pytest
from django.db import connection, transaction

from apps.events import log, store
from apps.events.log import append, read_after, read_before
from apps.events.models import Head, StoredEvent
from apps.events.threads import write_and_wait
from tests.events.story import LineWritten, StoryTopic, TaleTold

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture
def hints(monkeypatch):
    """The hints that were given, instead of sending them."""
    given = []
    monkeypatch.setattr(log, "_say", lambda topic, hint: given.append((topic, hint)))
    return given


def write(topic, *texts):
    with transaction.atomic():
        return append(topic, *[LineWritten(text=text) for text in texts])


def texts(page):
    return [event.payload["text"] for event in page.events]


def test_events_are_numbered_from_one(topic):
    assert write(topic, "a").seq == 1
    assert write(topic, "b", "c").seq == 3
    assert [(e.seq, e.payload["text"]) for e in read_after(str(topic), 0).events] == [(1, "a"), (2, "b"), (3, "c")]


def test_what_is_written_is_read_as_it_was(topic):
    odd = ["", "\0", "\x1b[31m\r\n", '"\\"', "%s {} ' --", "\u2028 \U0001f682 é", "null", "[1, 2]", "x" * 100_000]
    write(topic, *odd)
    assert texts(read_after(str(topic), 0)) == odd


def test_more_events_than_a_statement_takes_are_written_at_once(topic, monkeypatch):
    monkeypatch.setattr(store, "ROWS", 3)
    others = [StoryTopic(key=uuid4().hex) for _ in range(4)]
    with transaction.atomic():
        log.append_all([log.Draft(t, LineWritten(text=str(i)), "system") for i in range(4) for t in (topic, *others)])
    for t in (topic, *others):
        assert texts(read_after(str(t), 0)) == ["0", "1", "2", "3"]


def test_topics_count_each_for_itself(topic):
    other = StoryTopic(key=uuid4().hex)
    write(topic, "a", "b")
    assert write(other, "a").seq == 1
    assert log.cursor(topic).epoch != log.cursor(other).epoch


def test_appending_outside_a_transaction_is_a_bug(topic):
    with pytest.raises(transaction.TransactionManagementError):
        append(topic, LineWritten(text="a"))


def test_an_event_belongs_on_its_own_kind_of_topic(topic):
    with pytest.raises(TypeError), transaction.atomic():
        append(topic, TaleTold())
    with pytest.raises(ValueError, match="which events"), transaction.atomic():
        append(topic)


def test_a_rollback_leaves_no_hole_and_no_hint(topic, hints):
    write(topic, "a")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        append(topic, LineWritten(text="never"))
        1 / 0  # noqa: B018
    write(topic, "b")

    assert texts(read_after(str(topic), 0)) == ["a", "b"]
    assert log.cursor(topic).seq == 2
    assert [(hint["first"], hint["last"]) for _, hint in hints] == [(1, 1), (2, 2)]


def test_a_hint_carries_the_bytes_that_are_read_later(topic, hints):
    write(topic, "snow ☃", 'a "b"\\\n')
    [(told, hint)] = hints

    assert told == str(topic)
    assert hint["frames"] == [event.encoded for event in read_after(str(topic), 0).events]
    assert (hint["first"], hint["last"], hint["epoch"]) == (1, 2, log.cursor(topic).epoch)


def test_a_hint_too_large_for_the_layer_only_points(topic, hints):
    write(topic, *["x" * 60_000] * 6)
    [(_, hint)] = hints
    assert hint["frames"] == []
    assert (hint["first"], hint["last"]) == (1, 6)


def test_hints_wait_for_the_outermost_commit(topic, hints):
    with transaction.atomic():
        with transaction.atomic():
            append(topic, LineWritten(text="a"))
        assert hints == []
    assert len(hints) == 1


def test_what_was_stored_is_told_even_if_the_layer_is_gone(topic, monkeypatch):
    class NoLayer:
        async def group_send(self, group, hint):
            raise ConnectionError("gone")

    monkeypatch.setattr(log, "get_channel_layer", NoLayer)
    assert write(topic, "a").seq == 1


def test_a_cursor_is_answered_with_what_follows(topic):
    write(topic, "a", "b", "c")
    epoch = log.cursor(topic).epoch

    assert texts(read_after(str(topic), 1)) == ["b", "c"]
    assert texts(read_after(str(topic), 1, epoch, limit=1)) == ["b"]
    page = read_after(str(topic), 3, epoch)
    assert (page.events, page.head, page.reset) == ((), 3, False)


def test_a_cursor_of_another_life_is_reset(topic):
    write(topic, "a", "b")
    for after, epoch in [(0, "elsewhere"), (1, "elsewhere"), (3, None), (3, log.cursor(topic).epoch)]:
        page = read_after(str(topic), after, epoch)
        assert page.reset and not page.events and page.head == 2, (after, epoch)


def test_a_pruned_cursor_is_reset_and_one_on_the_floor_is_not(topic):
    write(topic, "a", "b", "c")
    StoredEvent.objects.filter(topic=str(topic), seq__lte=2).delete()
    Head.objects.filter(topic=str(topic)).update(floor=2)

    assert read_after(str(topic), 1).reset
    assert texts(read_after(str(topic), 2)) == ["c"]


def test_history_that_vanished_without_a_floor_is_reset_not_silence(topic):
    write(topic, "a", "b", "c")
    StoredEvent.objects.filter(topic=str(topic), seq__lte=2).delete()
    assert read_after(str(topic), 0).reset


def test_a_topic_without_events_has_a_place_too(topic):
    page = read_after(str(topic), 0)
    assert (page.epoch, page.head, page.floor, page.reset) == ("", 0, 0, False)
    assert read_after(str(topic), 1).reset
    assert read_after(str(topic), 0, "an old epoch").reset


def test_reading_backwards_pages_to_the_beginning(topic):
    write(topic, *"abcde")
    assert texts(read_before(str(topic), 6, 2)) == ["d", "e"]
    assert texts(read_before(str(topic), 4, 2)) == ["b", "c"]
    assert texts(read_before(str(topic), 2, 2)) == ["a"]
    assert texts(read_before(str(topic), 1, 2)) == []
    assert texts(read_before(str(topic), 99, 2)) == ["d", "e"]


def test_a_page_ends_where_it_gets_too_large(topic, monkeypatch):
    monkeypatch.setattr(store, "PAGE_BYTES", 1_000)
    write(topic, *[str(i) * 300 for i in range(9)], "small", "ä" * 1_200, "small")
    seqs = []
    while len(seqs) < 12:
        page = read_after(str(topic), len(seqs))
        assert page.events and page.head == 12
        seqs += [event.seq for event in page.events]
        assert sum(len(event.data.encode()) for event in page.events[:-1]) < 1_000
    assert seqs == list(range(1, 13))

    assert [event.seq for event in read_before(str(topic), 13).events] == [11, 12], "at least one, whatever its size"
    assert [event.seq for event in read_before(str(topic), 10).events] == [6, 7, 8, 9]
    assert [event.seq for event in read_before(str(topic), 2**53, 1).events] == [12]


def test_looking_where_nothing_is_new_reads_no_events(topic):
    write(topic, "a")
    log.reads.clear()
    read_after(str(topic), 1)
    assert log.reads[str(topic)] == 0
    read_after(str(topic), 0)
    assert log.reads[str(topic)] == 1


def test_reads_of_ever_more_topics_are_counted_together(topic, monkeypatch):
    monkeypatch.setattr(log, "TOPICS_COUNTED", 2)
    write(topic, "a")
    for name in ("story.1", "story.2", "story.3", "story.4", "story.1"):
        read_before(name, 1)
    assert log.reads == {"story.1": 2, "story.2": 1, log.OTHERS: 2}


def test_a_new_epoch_resets_every_reader(topic):
    write(topic, "a")
    before = log.cursor(topic)
    store.start_epoch([str(topic)])
    after = log.cursor(topic)
    assert after.epoch != before.epoch and after.seq == 1
    assert read_after(str(topic), 1, before.epoch).reset
    assert not read_after(str(topic), 1, after.epoch).reset


def test_one_ref_happens_once_and_is_found_again(topic):
    with transaction.atomic(), log.said_by("user:1", "r1", str(topic)):
        append(topic, LineWritten(text="a"))
        append(topic, LineWritten(text="b"))
    first, second = read_after(str(topic), 0).events

    assert (first.sender, first.ref, second.sender, second.ref) == ("user:1", "r1", "user:1", None)
    known = store.known([(str(topic), "user:1", "r1"), (str(topic), "user:2", "r1"), (str(topic), "user:1", "r2")])
    assert list(known) == [(str(topic), "user:1", "r1")]


def test_only_events_on_the_frames_topic_take_its_ref(topic):
    other = StoryTopic(key=uuid4().hex)
    with transaction.atomic(), log.said_by("user:1", "r1", str(topic)):
        append(other, LineWritten(text="elsewhere"))
        append(topic, LineWritten(text="here"))
    assert read_after(str(other), 0).events[0].ref is None
    assert read_after(str(topic), 0).events[0].ref == "r1"


def test_writers_in_many_threads_leave_no_hole(topic):
    """Seq follows commit order: what is read at any moment is a beginning of what is read later."""
    seen: list[list[int]] = []
    done = threading.Event()

    def look():
        try:
            while not done.is_set():
                seen.append([event.seq for event in read_after(str(topic), 0, limit=1000).events])
        finally:
            connection.close()

    def write_some(name):
        try:
            for i in range(25):
                write_and_wait(write, topic, f"{name}.{i}", f"{name}.{i}b")
        finally:
            connection.close()

    watcher = threading.Thread(target=look)
    writers = [threading.Thread(target=write_some, args=[name]) for name in "abcd"]
    for thread in [watcher, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    watcher.join()

    events = read_after(str(topic), 0, limit=1000).events
    assert [event.seq for event in events] == list(range(1, 201))
    for name in "abcd":
        assert [e.payload["text"] for e in events if e.payload["text"].startswith(name)] == [
            text for i in range(25) for text in (f"{name}.{i}", f"{name}.{i}b")
        ]
    for seqs in seen:
        assert seqs == list(range(1, len(seqs) + 1))
