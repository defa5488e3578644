"""Looking through the log: lines are found however they were cut and coloured, and a question takes a bounded time."""

import itertools
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.events import log, search, store
from apps.events.declare import DeclarationError, Event
from apps.events.models import Head, StoredEvent
from apps.events.search import Filter
from tests.events.story import LineWritten, StoryTopic, TextPrinted

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture(autouse=True)
def time_enough(monkeypatch):
    """However busy the machine is, a question is answered as far as it may look."""
    monkeypatch.setattr(search, "MOST_SECONDS", 60)


@pytest.fixture
def story(topic):
    return Story(topic)


class Story:
    """A topic on which pens print."""

    def __init__(self, topic):
        self.topic = topic
        self.offsets = {}

    def print(self, *pieces, level="info"):
        """`print(("a", "text"), …)`: an event each; a text after None is whole lines of Signalbox's own."""
        events = []
        for pen, text in pieces:
            offset = None if pen is None else self.offsets.get(pen, 0)
            self.offsets[pen] = (offset or 0) + len(text)
            events.append(TextPrinted(pen=pen or "none", level=level, text=text, offset=offset))
        with transaction.atomic():
            return log.append(self.topic, *events).seq

    def find(self, *match, after=0, limit=500, **where):
        wanted = Filter(match=match, where={name: frozenset([value]) for name, value in where.items()})
        return log.read_filtered(str(self.topic), after, None, wanted, limit)

    def seqs(self, *match, **where):
        return [event.seq for event in self.find(*match, **where).events]

    def places(self, *match, **where):
        wanted = Filter(match=match, where={name: frozenset([value]) for name, value in where.items()})
        return log.read_filtered(str(self.topic), 0, None, wanted, only_places=True).places


def test_a_text_is_found_in_capital_and_small_letters(story):
    story.print(("a", "Straße ÄRGER\n"), ("a", "\u212aelvin\n"), ("a", "nothing\n"))
    assert story.seqs("ärger") == story.seqs("STRASSE") == story.seqs("STRAßE") == [1]
    assert story.seqs("kelvin") == [2]
    assert story.seqs("argh") == []


def test_quotes_backslashes_and_other_signs_are_what_they_are(story):
    for text in ('say "hi"', "C:\\new\\table", "100%_sure", "漢字 😀", "{'a': [1]}", "line\u2028separator", "a'b--"):
        seq = story.print(("a", f"before {text} after\n"))
        assert story.seqs(text) == [seq], text
    assert story.seqs("\\n") == [2], "a newline is none"
    assert story.seqs("hi\\") == []
    assert story.seqs("u6f22") == []


def test_colours_in_the_middle_of_a_word_do_not_hide_it(story):
    story.print(("a", "an \x1b[31mer\x1b[1mror\x1b[0m here\n"), ("a", "\x1b]8;;http://x\x1b\\li\x07nk\x1b]8;;\x07\n"))
    assert story.seqs("error") == [1]
    assert story.seqs("LINK") == [2]
    assert story.seqs("31m") == story.seqs("http") == []


def test_a_line_that_is_written_over_is_found_if_it_may_show_the_words(story):
    story.print(("a", "10 % dine\rdone\n"), ("a", "abc\b\bX\n"), ("a", "name\tvalue\n"), ("a", "windows\r\n"))
    assert 1 in story.seqs("done")
    assert 2 in story.seqs("aX"), "written over the b"
    assert 3 in story.seqs("name    value"), "a tab is as many spaces as it takes"
    assert story.seqs("zebra") == []
    assert story.seqs("windows") == [4]


def test_a_line_is_found_where_it_begins_and_where_it_goes_on(story):
    story.print(("a", "one\ntwo nee"), ("b", "other\n"), ("a", "dle"), ("b", "more\n"), ("a", " end\nnext\n"))
    assert story.seqs("two needle end") == [1, 3, 5]
    assert story.places("two needle end") == [(1, 5)]
    assert story.seqs("needleother") == story.seqs("endnext") == []
    assert story.places("next") == [(5, 5)]


def test_who_prints_again_begins_a_line(story):
    story.print(("a", "half"))
    story.offsets.clear()
    story.print(("a", "time\n"))
    assert story.seqs("halftime") == []
    assert story.seqs("half") == [1]


def test_whole_lines_join_nothing(story):
    story.print(("none", "half"), (None, "time"), ("none", "way\n"))
    assert story.seqs("halftime") == []
    assert story.seqs("halfway") == [1, 3]


def test_all_texts_have_to_be_in_one_line(story):
    story.print(("a", "red\ngreen\n"), ("a", "green and red\n"))
    assert story.seqs("red", "green") == [2]


def test_a_field_has_exactly_the_value(story):
    story.print(("a", "one\n"), ("b", "two\n"))
    story.print(("a", "three\n"), level="error")
    assert story.seqs(pen="a") == [1, 3]
    assert story.seqs(pen="A") == story.seqs(nothing="a") == []
    assert story.seqs("e", level="error") == [3]
    assert story.seqs(offset="0") == [1, 2]


def test_a_line_has_the_values_of_the_event_in_which_it_begins(story):
    story.print(("a", "be"))
    story.print(("a", "gun\nnew\n"), level="error")
    assert story.seqs("begun", level="info") == [1, 2]
    assert story.seqs("begun", level="error") == story.seqs("gun", level="error") == []
    assert story.seqs("new", level="error") == [2]
    assert story.places(level="info") == [(1, 2)]


def test_types_are_kept_apart(story):
    story.print(("a", "needle\n"))
    with transaction.atomic():
        log.append(story.topic, LineWritten(text="a needle, too"))
    found = log.read_filtered(str(story.topic), 0, None, Filter(types=frozenset(["story_line"])))
    assert [event.seq for event in found.events] == [2]
    assert story.seqs("needle") == [1, 2]
    assert story.seqs("text") == [], "the names of fields are not looked at"


def test_a_page_says_how_far_it_looked_and_one_goes_on_there(story, monkeypatch):
    monkeypatch.setattr(search, "MOST_SCANNED", 10)
    monkeypatch.setattr(search, "CHUNK", 4)
    story.print(*[("a", f"line {n}{' needle' if n % 9 == 8 else ''}\n") for n in range(35)])
    after, seen, pages = 0, [], 0
    while after < 35:
        page = story.find("needle", after=after)
        assert after < page.scanned_to <= after + 10
        seen += [event.seq for event in page.events]
        after, pages = page.scanned_to, pages + 1
    assert (seen, pages) == ([9, 18, 27], 4)


def test_the_number_of_events_has_a_limit_and_none_is_left_out(story):
    story.print(*[("a", "needle\n")] * 30)
    first = story.find("needle", limit=7)
    assert ([event.seq for event in first.events], first.scanned_to) == ([1, 2, 3, 4, 5, 6, 7], 7)
    rest = story.find("needle", after=7, limit=100)
    assert ([event.seq for event in rest.events], rest.scanned_to) == (list(range(8, 31)), 30)


def paged(story, *match, limit):
    """The seqs on all pages, page by page."""
    after, pages = 0, []
    while after < log.cursor(story.topic).seq:
        page = story.find(*match, after=after, limit=limit)
        assert after < page.scanned_to
        after = page.scanned_to
        pages.append([event.seq for event in page.events])
    return pages


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_no_page_divides_a_line(story, limit):
    story.print(*[("a", text) for text in ("needle one\n", "nee", "dle", " two\n", "needle three\n", "more\n")])
    pages = paged(story, "needle", limit=limit)
    assert {seq for page in pages for seq in page} == {1, 2, 3, 4, 5}
    assert any({2, 3, 4} <= set(page) for page in pages)
    assert max(map(len, pages)) <= limit + 2


def test_a_line_that_goes_on_where_a_page_ends_is_found_to_its_end(story, monkeypatch):
    monkeypatch.setattr(search, "MOST_SCANNED", 2)
    story.print(("a", "x\n"), ("a", "nee"), ("b", "needle\n"), ("a", "dle\n"), ("b", "x\n"))
    assert paged(story, "needle", limit=500) == [[2, 4], [3], []]


def test_a_page_of_large_events_is_short(story, monkeypatch):
    monkeypatch.setattr(store, "PAGE_BYTES", 10_000)
    story.print(*[("a", f"needle {'x' * 4_000}\n")] * 8, ("a", "nee"), *[("b", "x" * 4_000)] * 6, ("a", "dle\n"))
    assert paged(story, "needle", limit=500) == [[1, 2, 3], [4, 5, 6], [7, 8, 9, 16]]


def test_a_line_without_an_end_is_found_and_what_follows_is_a_line_of_its_own(story, monkeypatch):
    monkeypatch.setattr(search, "LONGEST_LINE", 100)
    story.print(*[("a", "x" * 60)] * 4, ("a", "needle"), ("a", "y" * 10), ("a", "\n"))
    assert story.seqs("needle") == [1, 2, 3, 4, 5, 6, 7]
    story.print(*[("b", "x" * 60)] * 3, ("b", "\n"), ("b", "x"))
    assert story.find("needle", after=7).events[-1].seq == 9, (
        "what may have it in 60 + 60 characters, and nothing after"
    )


def test_a_line_is_not_waited_for_through_too_much(story, monkeypatch):
    monkeypatch.setattr(search, "MOST_SCANNED", 1)
    monkeypatch.setattr(search, "CHUNK", 2)
    monkeypatch.setattr(search, "AHEAD_BYTES", 5_000)
    story.print(("a", "be"), *[("b", "x" * 2_000)] * 6, ("a", "gin"))
    assert story.places("be") == [(1, 1)]
    assert story.places("begin") == [(1, 1)], "it may still become that"


def test_looking_takes_no_longer_than_it_may(story, monkeypatch):
    monkeypatch.setattr(search, "CHUNK", 5)
    monkeypatch.setattr(search, "MOST_SECONDS", -1)
    story.print(*[("a", "needle\n")] * 30)
    assert story.find("needle").scanned_to == 5, "a little way at least, or nobody would get on"


def test_a_line_that_ends_long_after_is_taken_as_it_is(story, monkeypatch):
    monkeypatch.setattr(search, "AHEAD", 4)
    monkeypatch.setattr(search, "CHUNK", 2)
    monkeypatch.setattr(search, "MOST_SCANNED", 2)
    story.print(("a", "be"), *[("b", "x\n")] * 3, ("a", "gin"), *[("b", "x\n")] * 9, ("a", "ning\n"))
    assert story.places("begin") == [(1, 5)]
    assert story.places("beginning") == [(1, 5)], "it may still become that"
    assert story.seqs("beginning") == []


def test_a_cursor_of_another_life_or_of_what_is_pruned_is_reset(story):
    story.print(("a", "needle\n"), ("a", "needle\n"))
    assert log.read_filtered(str(story.topic), 0, "elsewhere", Filter(match=("x",))).reset
    Head.objects.filter(topic=str(story.topic)).update(floor=1)
    StoredEvent.objects.filter(topic=str(story.topic), seq=1).delete()
    assert story.find("needle").reset
    assert story.find("needle", after=3).reset
    assert [event.seq for event in story.find("needle", after=1).events] == [2]


def test_what_is_pruned_while_one_looks_is_reset(story, monkeypatch):
    story.print(("a", "needle\n"), ("a", "needle\n"))
    stretch = store.stretch

    def pruned_meanwhile(*args):
        Head.objects.filter(topic=str(story.topic)).update(floor=1)
        return stretch(*args)

    monkeypatch.setattr(store, "stretch", pruned_meanwhile)
    assert story.find("needle").reset


@pytest.mark.parametrize("only_places", [False, True])
def test_a_life_that_ends_while_one_looks_is_reset(story, monkeypatch, only_places):
    """Else its events would come under the name of the next life, and whoever has them would go on from there."""
    story.print(("a", "needle\n"), ("a", "needle\n"))
    stretch = store.stretch

    def begun_anew_meanwhile(*args):
        found = stretch(*args)
        store.start_epoch([str(story.topic)])
        return found

    monkeypatch.setattr(store, "stretch", begun_anew_meanwhile)
    page = log.read_filtered(str(story.topic), 0, None, Filter(match=("needle",)), only_places=only_places)
    assert page.reset and not page.events and not page.places


def test_a_stream_has_the_fields_that_it_needs():
    with pytest.raises(DeclarationError, match="pen"):

        class Scribbled(Event, type="story_scribble", topic=StoryTopic, stream="pen"):
            text: str


PIECES = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.lists(
            st.sampled_from(["needle", "nee", "dle", "x", "\n", "\n", "\x1b[31m", "\x1b", "[0m", "\x1b]8;;u\x07", "é"]),
            min_size=1,
            max_size=4,
        ).map("".join),
        st.booleans(),
    ),
    max_size=14,
)


@given(pieces=PIECES, scanned=st.integers(1, 6), chunk=st.integers(1, 4), limit=st.integers(1, 4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_line_is_missed_however_it_was_cut(monkeypatch, pieces, scanned, chunk, limit):
    monkeypatch.setattr(search, "MOST_SCANNED", scanned)
    monkeypatch.setattr(search, "CHUNK", chunk)
    story = Story(StoryTopic(key=uuid4().hex))
    lines, open_lines = [], {}
    for seq, (pen, text, again) in enumerate(pieces, 1):
        if again:
            story.offsets.pop(pen, None)
            open_lines.pop(pen, None)
        if story.offsets.get(pen, 0) == 0:
            open_lines.pop(pen, None)
        for part in text.splitlines(keepends=True):
            line = open_lines.get(pen)
            if line is None:
                line = open_lines[pen] = ["", seq, seq, set()]
                lines.append(line)
            line[0], line[2] = line[0] + part.rstrip("\n"), seq
            line[3].add(seq)
            if part.endswith("\n"):
                del open_lines[pen]
        story.print((pen, text))
    after, places = 0, []
    while after < len(pieces):
        page = log.read_filtered(str(story.topic), after, None, Filter(match=("NEEDLE",)), only_places=True)
        places += page.places
        after = page.scanned_to
    found = set(itertools.chain(*paged(story, "NEEDLE", limit=limit)))
    missed = [
        line
        for line in lines
        if "needle" in search.plain(line[0]) and not any(first <= line[1] and line[2] <= last for first, last in places)
    ]
    assert not missed
    assert not [line for line in lines if "needle" in search.plain(line[0]) and not line[3] <= found]
    false = set(itertools.chain(*(range(first, last + 1) for first, last in places)))
    ended = [line for line in lines if "needle" in search.plain(line[0]) or line in open_lines.values()]
    assert scanned < len(pieces) or false <= set(
        itertools.chain(*(range(first, last + 1) for _, first, last, _ in ended))
    )
