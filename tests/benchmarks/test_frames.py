"""The load generator's own WebSocket frames: what it miscounts, no benchmark would notice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.frames import BINARY, CLOSE, FIN, PING, TEXT, FrameReader, client_frame

MESSAGES = st.lists(st.binary(max_size=130), max_size=8)


def from_server(payload: bytes, opcode: int = TEXT) -> bytes:
    """A frame as servers send them: not masked."""
    size = len(payload)
    if size < 126:
        return bytes((FIN | opcode, size)) + payload
    if size < 65536:
        return bytes((FIN | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((FIN | opcode, 127)) + size.to_bytes(8, "big") + payload


@settings(deadline=None)
@given(messages=MESSAGES, cuts=st.lists(st.integers(1, 200), min_size=1))
def test_messages_come_out_whole_wherever_the_network_cuts_them(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(from_server, messages))
    reader, read, turn = FrameReader(), [], 0
    while stream:
        cut = cuts[turn % len(cuts)]
        read += reader.feed(stream[:cut])
        stream, turn = stream[cut:], turn + 1
    assert read == messages


@pytest.mark.parametrize("size", [125, 126, 65535, 65536])
def test_each_way_of_writing_a_size_is_read(size: int) -> None:
    stream = from_server(b"z" * size) * 2
    reader = FrameReader()
    assert reader.feed(stream[:7]) + reader.feed(stream[7:]) == [b"z" * size] * 2


def test_a_frame_that_comes_byte_by_byte_is_read_once() -> None:
    reader = FrameReader()
    read = [message for byte in from_server(b"a" * 200) for message in reader.feed(bytes([byte]))]
    assert read == [b"a" * 200]


def test_control_frames_are_kept_apart_from_messages() -> None:
    reader = FrameReader()
    stream = from_server(b"", PING) + from_server(b"hello") + from_server(b"\x03\xe8", CLOSE)
    assert reader.feed(stream) == [b"hello"]
    assert reader.controls == [(PING, b""), (CLOSE, b"\x03\xe8")]


def test_a_fragmented_message_is_refused_instead_of_miscounted() -> None:
    with pytest.raises(ValueError, match="fragmented"):
        FrameReader().feed(bytes((TEXT, 1)) + b"a")


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_a_client_frame_says_its_size_and_masks_to_itself(size: int) -> None:
    payload = b"y" * size
    frame = client_frame(payload, BINARY)
    assert frame[0] == FIN | BINARY
    assert frame[1] & 0x80, "clients must mask"
    assert frame.endswith(b"\0\0\0\0" + payload)
