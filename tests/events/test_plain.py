"""What people see of what was printed: the same as in static/js/text/sgr.js."""

import time

import pytest

from apps.events.plain import moves, plain


@pytest.mark.parametrize(
    "printed, seen",
    [
        ("nothing special, not even a ☃\n", "nothing special, not even a ☃\n"),
        ("\x1b[31mr\x1b[1me\x1b[0md", "red"),
        ("\x1b[38;2;255;136;0morange\x1b[m", "orange"),
        ("\x1b]8;;https://evil.test\x1b\\click\x1b]8;;\x07", "click"),
        ("\x1b]0;a title\x07b\x1bPq#0\x1b\\c\x1b(Bd\x1b7e\x1b=f", "bcdef"),
        ("a\x07b\x00c\x0bd\x7fe\x85f\u202eg\u2066h", "abcdefgh"),
        ("tabs\tand\nnewlines stay", "tabs\tand\nnewlines stay"),
        ("what is cut off\x1b", "what is cut off"),
        ("no string goes over\x1b]8;; a newline\n and its end\x07", "no string goes over8;; a newline\n and its end"),
        ("\x1b[2J\x1b[9;9Hhere", "here"),
        ("windows\r\n", "windows\n"),
    ],
)
def test_sequences_and_control_characters_are_left_out(printed, seen):
    assert plain(printed) == seen


@pytest.mark.parametrize(
    "printed",
    ["10 %\r20 %", "abc\bX", "a\tb"]
    + [f"\x1b[{move}" for move in ("3D", "10C", "5G", "G", "2K", "1K", "01K", "1;0K", "3X", "P", "4@")],
)
def test_what_moves_the_cursor_is_known(printed):
    assert moves(f"before {printed} after")


@pytest.mark.parametrize("printed", ["plain", "a\r\nb\r\n", "end\r", "\x1b[31mred\x1b[K\x1b[0m", "\x1b[0K", "\x1b[2J"])
def test_what_moves_nothing_is_known_too(printed):
    assert not moves(printed)


@pytest.mark.parametrize(
    "never_ending",
    [
        "\x1b[" + "1" * 2**19,
        "\x1b[" + ";1" * 2**18,
        "\x1b[" * 2**18,
        "\x1b]" + "a" * 2**19,
        "\x1b]a" * 2**17,
        "\x1b" + " " * 2**19,
        "\x1b" * 2**19,
        "\r" * 2**19,
    ],
    ids=["digits", "numbers", "sequences", "string", "strings", "spaces", "escapes", "returns"],
)
def test_what_mallory_prints_takes_no_longer_than_its_length(never_ending):
    """Tried in every pair, its characters would take minutes, in which nothing else runs in the process."""
    began = time.process_time()
    moves(never_ending)
    plain(never_ending)
    assert time.process_time() - began < 10
