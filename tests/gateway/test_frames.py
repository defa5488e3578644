"""Outgoing frames, as bytes on the wire."""

import os
import zlib

import pytest
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.streams import StreamReader

from apps.gateway.frames import COMPRESS_FROM, Frame


def parsed(raw):
    """What a client's WebSocket library reads from these bytes."""
    stream = StreamReader()
    stream.feed_data(raw)
    stream.feed_eof()
    parsing = WireFrame.parse(stream.read_exact, mask=False)
    try:
        next(parsing)
    except StopIteration as done:
        return done.value
    raise AssertionError("the frame is longer than its bytes")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_header_says_how_long_it_is(size):
    frame = parsed(Frame(b"x" * size).raw_text)
    assert (frame.opcode, frame.fin, len(frame.data)) == (Opcode.TEXT, True, size)


@pytest.mark.parametrize("size", [1_024, 65_535, 200_000])
def test_what_is_deflated_inflates_again(size):
    text = os.urandom(size // 2).hex().encode()
    frame = parsed(Frame(text).raw_deflated)
    assert frame.opcode == Opcode.BINARY
    assert zlib.decompress(frame.data, -zlib.MAX_WBITS) == text


def test_small_frames_stay_text_even_for_who_asked_for_compression():
    frame = Frame(b"x" * (COMPRESS_FROM - 1))
    assert frame.deflated is None
    assert frame.raw_deflated == frame.raw_text


def test_a_frame_is_built_once_for_all():
    frame = Frame(b"x" * 2_000, last=3)
    assert frame.raw_text is frame.raw_text
    assert frame.raw_deflated is frame.raw_deflated
    assert (len(frame), frame.last) == (2_000, 3)
