import asyncio
import time
from itertools import pairwise
from typing import Any

from signalbox_agent.printer import FRAME_BYTES, HIGH_BYTES, LARGEST_BYTES, Printer


class Sink:
    """Takes frames; `hold` keeps it from acknowledging."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, int, str, float]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def send(self, number: int, offset: int, text: str) -> None:
        self.frames.append((number, offset, text, time.monotonic()))
        await self.may_answer.wait()

    @property
    def text(self) -> str:
        return "".join(frame[2] for frame in self.frames)


async def test_the_first_piece_after_a_quiet_moment_goes_at_once():
    sink, printer = Sink(), None
    printer = Printer(sink.send)
    running = asyncio.create_task(printer.run())
    printer.feed(b"one")
    await asyncio.sleep(0.01)
    assert sink.text == "one"
    printer.feed(b"two")
    printer.feed(b"three")
    printer.close()
    await running
    assert [frame[:3] for frame in sink.frames] == [(0, 0, "one"), (1, 3, "twothree")]


async def test_pieces_are_50_ms_apart_and_have_at_most_64_kib():
    sink = Sink()
    printer = Printer(sink.send)
    running = asyncio.create_task(printer.run())
    started = time.monotonic()
    for _ in range(30):
        printer.feed(b"x" * 100)
        await asyncio.sleep(0.01)
    at_most = (time.monotonic() - started) / 0.045 + 2  # a busy machine takes longer
    printer.feed(b"y" * 100_000)
    printer.close()
    await running
    times = [frame[3] for frame in sink.frames]
    assert 5 <= sum(1 for frame in sink.frames if "y" not in frame[2]) <= at_most
    assert all(b - a >= 0.045 for a, b in pairwise(times[:5]))
    assert max(len(frame[2]) for frame in sink.frames) == LARGEST_BYTES
    assert sink.text == "x" * 3000 + "y" * 100_000


async def test_what_has_piled_up_while_one_frame_was_under_way_goes_in_few_large_ones():
    sink = Sink()
    sink.may_answer.clear()
    printer = Printer(sink.send)
    running = asyncio.create_task(printer.run())
    printer.feed(b"x")
    while not sink.frames:
        await asyncio.sleep(0.01)
    for _ in range(20):
        printer.feed(b"y" * FRAME_BYTES)
    sink.may_answer.set()
    printer.close()
    await running
    assert [len(frame[2]) for frame in sink.frames] == [1, *[LARGEST_BYTES] * 5, 5 * 4]


async def test_no_frame_is_larger_than_what_may_be_sent_at_that_moment():
    limit, sink = [1_000], Sink()
    printer = Printer(sink.send, largest=lambda: limit[0])

    async def send(*frame: Any) -> None:
        await sink.send(*frame)
        limit[0] = 300

    printer._send = send
    printer.feed(b"x" * 2_000)
    printer.close()
    await printer.run()
    assert [len(frame[2]) for frame in sink.frames] == [1_000, 300, 300, 300, 100]


async def test_a_small_limit_does_not_make_it_wait(monkeypatch):
    monkeypatch.setattr("signalbox_agent.printer.FRAME_SECONDS", 3600)
    sink = Sink()
    printer = Printer(sink.send, largest=lambda: 100)
    running = asyncio.create_task(printer.run())
    printer.feed(b"x" * 1_000)
    while len(sink.text) < 1_000:
        await asyncio.sleep(0.01)
    printer.close()
    await running


async def test_no_frame_has_more_characters_than_the_server_takes():
    sink = Sink()
    printer = Printer(sink.send)
    printer.feed(b"x" * (LARGEST_BYTES - 3) + b"\xf0\x9f\x98" + b"y" * 100_000)
    printer.close()
    await printer.run()
    assert max(len(frame[2]) for frame in sink.frames) <= 64 * 1024


async def test_characters_are_never_torn():
    sink = Sink()
    printer = Printer(sink.send)
    running = asyncio.create_task(printer.run())
    text = "aé€😀" * 20_000
    data = text.encode()
    for start in range(0, len(data), 777):
        printer.feed(data[start : start + 777])
    printer.close()
    await running
    assert sink.text == text
    offset = 0
    for number, (n, at, piece, _) in enumerate(sink.frames):
        assert (n, at) == (number, offset)
        offset += len(piece)


async def test_bytes_that_are_no_text_are_shown_as_such():
    sink = Sink()
    printer = Printer(sink.send)
    printer.feed(b"\xff ok \xe2\x82")
    printer.close()
    await printer.run()
    assert sink.text == "\ufffd ok \ufffd"


async def test_one_frame_is_under_way_at_a_time():
    sink = Sink()
    sink.may_answer.clear()
    printer = Printer(sink.send)
    running = asyncio.create_task(printer.run())
    for _ in range(10):
        printer.feed(b"x" * FRAME_BYTES)
        await asyncio.sleep(0.01)
    assert len(sink.frames) == 1
    sink.may_answer.set()
    printer.close()
    await running
    assert len(sink.text) == 10 * FRAME_BYTES


async def test_it_asks_the_source_to_pause_while_too_much_waits():
    sink, wishes = Sink(), []
    sink.may_answer.clear()
    printer = Printer(sink.send, wishes.append)
    running = asyncio.create_task(printer.run())
    printer.feed(b"x" * (HIGH_BYTES + FRAME_BYTES))
    printer.feed(b"x" * 10)
    assert wishes == [True]
    sink.may_answer.set()
    printer.close()
    await running
    assert wishes == [True, False]
    assert len(sink.text) == HIGH_BYTES + FRAME_BYTES + 10


async def test_a_command_that_prints_nothing_sends_nothing():
    sink = Sink()
    printer = Printer(sink.send)
    printer.close()
    await printer.run()
    assert sink.frames == []
