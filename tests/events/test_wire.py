"""Frames as bytes: what leaves, and what is let in."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from apps.accounts.refusals import BadFrame, TooFast
from apps.events import wire
from tests.events.story import LineWritten

AT = datetime(2026, 11, 20, 22, 1, 2, 345678, tzinfo=UTC)


def test_time_goes_to_the_millisecond_in_utc():
    assert wire.timestamp(AT) == "2026-11-20T22:01:02.345Z"
    assert wire.timestamp(AT.astimezone(timezone(timedelta(hours=5, minutes=30)))) == "2026-11-20T22:01:02.345Z"
    assert wire.now().microsecond % 1000 == 0


@pytest.mark.parametrize(
    "text", ["", 'a "quoted" word', "back\\slash", "line\nfeed\r\x00\x1b[0m", "snow ☃ and 🚂", "\u2028</script>"]
)
def test_an_event_is_json_whatever_it_says(text):
    data = wire.data_of(LineWritten(text=text))
    frame = json.loads(wire.event("story_line", "story.a", 7, AT, data))

    assert frame == {
        "type": "story_line",
        "topic": "story.a",
        "seq": 7,
        "timestamp": "2026-11-20T22:01:02.345Z",
        "data": {"text": text},
    }


def test_a_whisper_has_no_seq():
    assert "seq" not in json.loads(wire.whisper("story_pen", "story.a", AT, b'{"at":1}'))


def test_one_event_is_no_batch():
    one, two = b'{"seq":1}', b'{"seq":2}'
    assert wire.batch([one]) == one
    assert json.loads(wire.batch([one, two])) == {"type": "batch", "messages": [{"seq": 1}, {"seq": 2}]}


def test_a_page_is_json_with_the_events_bytes_in_it():
    page = wire.page("story.a", "e1", 2, 0, False, [b'{"seq":1}', b'{"seq":2}'])
    assert json.loads(page) == {
        "topic": "story.a", "epoch": "e1", "head": 2, "floor": 0, "reset": False, "events": [{"seq": 1}, {"seq": 2}]
    }  # fmt: skip
    assert json.loads(wire.page("story.a", "", 0, 0, True, []))["reset"] is True


def test_an_answer_leaves_out_what_there_is_not():
    assert json.loads(wire.frame("ack", id="1")) == {"type": "ack", "id": "1", "data": {}}
    error = json.loads(wire.error(TooFast("Wait.", retry_after=0.5), "9"))
    assert error == {"type": "error", "id": "9", "data": {"code": "too_fast", "message": "Wait.", "retry_after": 0.5}}


@pytest.mark.parametrize(
    "text",
    ["", " ", "{", "nonsense", "NaN", '{"a": NaN}', "Infinity", "-Infinity", "1e999", "[1,]", "{'a': 1}",
     b"\xff\xfe", b"\x00", "\ufeff{}", "{}{}", "// a\n{}", '"\\ud800"', "[" * 5000, "[" * 5000 + "]" * 5000, "9" * 5000],
)  # fmt: skip
def test_what_is_not_json_is_refused_in_words(text):
    with pytest.raises(BadFrame) as refused:
        wire.parse(text, depth=32)
    assert refused.value.message.endswith(".")


def test_depth_is_counted_over_objects_and_arrays():
    def nested(levels):
        return (
            "".join('{"a":' if i % 2 else "[" for i in range(levels))
            + "1"
            + "".join("}" if i % 2 else "]" for i in reversed(range(levels)))
        )

    assert wire.parse(nested(32), depth=32)
    with pytest.raises(BadFrame, match="32 levels"):
        wire.parse(nested(33), depth=32)
    assert wire.parse(json.dumps("[" * 100), depth=32) == "[" * 100
    assert wire.parse(json.dumps([[]] * 100), depth=2)
    assert wire.parse(nested(32).encode(), depth=32)


def test_bytes_and_text_are_the_same_frame():
    assert wire.parse('{"a": "é"}', depth=3) == wire.parse('{"a": "é"}'.encode(), depth=3) == {"a": "é"}
