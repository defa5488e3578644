"""The tail of one topic: order, holes, the ring, and one frame for all."""

import asyncio
import json

import pytest

from apps.events.store import Position
from apps.gateway import tail as tails
from apps.gateway.frames import Frame
from apps.gateway.reader import Reader
from apps.gateway.tail import Tail
from tests.gateway.fakes import FakeOutlet, unpacked

pytestmark = pytest.mark.asyncio


def event(seq, size=0):
    return json.dumps({"type": "line", "topic": "t.1", "seq": seq, "data": "x" * size}).encode()


def events(first, last, size=0):
    return [event(seq, size) for seq in range(first, last + 1)]


class NoBacklog:
    """For tests in which the ring holds everything."""

    async def frame_after(self, cursor, until):
        raise AssertionError(f"#{cursor} should come from the ring")


def tail_at(seq, floor=0):
    return Tail(Position("t.1", "e1", seq, floor))


def level_reader(tail, **options):
    outlet = FakeOutlet(**options)
    reader = Reader(tail, NoBacklog(), outlet, cursor=tail.sent, credit=1_000_000)
    reader.join()
    return reader


def seqs(reader):
    return [message["seq"] for message in reader.outlet.taken()]


async def test_what_comes_in_order_goes_out_in_order():
    tail = tail_at(4)
    reader = level_reader(tail)
    assert tail.add(5, events(5, 6)) and tail.add(7, events(7, 7))
    tail.flush()
    assert seqs(reader) == [5, 6, 7]
    assert (tail.head, tail.sent, reader.position) == (7, 7, 7)


async def test_what_comes_twice_goes_out_once():
    tail = tail_at(0)
    reader = level_reader(tail)
    tail.add(1, events(1, 3))
    tail.add(1, events(1, 3))
    tail.add(2, events(2, 5))
    tail.add(1, events(1, 2))
    tail.flush()
    assert seqs(reader) == [1, 2, 3, 4, 5]


async def test_what_comes_early_waits_for_what_is_missing():
    tail = tail_at(0)
    reader = level_reader(tail)
    assert not tail.add(3, events(3, 4))
    assert not tail.add(6, events(6, 6))
    tail.flush()
    assert seqs(reader) == []
    assert not tail.add(1, events(1, 2))
    tail.flush()
    assert seqs(reader) == [1, 2, 3, 4]
    assert tail.add(5, events(5, 5))
    tail.flush()
    assert seqs(reader) == [5, 6]


async def test_early_ones_that_overlap_go_out_once():
    tail = tail_at(0)
    reader = level_reader(tail)
    tail.add(3, events(3, 6))
    tail.add(5, events(5, 8))
    tail.add(2, events(2, 3))
    tail.add(1, events(1, 1))
    tail.flush()
    assert seqs(reader) == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_all_readers_get_the_same_frame():
    tail = tail_at(0)
    readers = [level_reader(tail) for _ in range(5)]
    tail.add(1, events(1, 9))
    tail.flush()
    frames = [reader.outlet.frames for reader in readers]
    assert all(len(written) == 1 and written[0] is frames[0][0] for written in frames)


async def test_a_quiet_topic_is_flushed_at_once_and_a_busy_one_in_pauses():
    tail = tail_at(0)
    reader = level_reader(tail)
    tail.add(1, events(1, 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seqs(reader) == [1]
    for seq in range(2, 200):
        tail.add(seq, [event(seq)])
    await asyncio.sleep(0.1)
    written = len(reader.outlet.frames)
    assert seqs(reader) == list(range(2, 200))
    assert written < 20


async def test_a_flush_is_cut_into_frames_of_bounded_size():
    tail = tail_at(0)
    reader = level_reader(tail)
    tail.add(1, events(1, 50, size=20_000))
    tail.flush()
    assert max(map(len, reader.outlet.frames)) < tails.FRAME_BYTES + 25_000
    assert len(reader.outlet.frames) >= 4
    assert seqs(reader) == list(range(1, 51))


async def test_one_event_larger_than_a_frame_goes_alone():
    tail = tail_at(0)
    reader = level_reader(tail)
    tail.add(1, [event(1), event(2, tails.FRAME_BYTES * 2), event(3)])
    tail.flush()
    assert seqs(reader) == [1, 2, 3]


async def test_the_ring_is_bounded_by_count_and_by_bytes(monkeypatch):
    monkeypatch.setattr(tails, "RING_EVENTS", 10)
    tail = tail_at(0)
    tail.add(1, events(1, 25))
    tail.flush()
    assert tail.oldest == 16 and tail.has(15) and not tail.has(14)
    assert [json.loads(e)["seq"] for e in tail.events_after(20, 3)] == [21, 22, 23]
    assert [json.loads(e)["seq"] for e in tail.events_after(22, 99)] == [23, 24, 25]
    with pytest.raises(LookupError):
        tail.events_after(14, 1)

    monkeypatch.setattr(tails, "RING_BYTES", 5_000)
    tail.add(26, events(26, 35, size=1_000))
    assert tail._ring_bytes <= 5_000 and tail.oldest > 30
    tail.add(36, [event(36, 50_000)])
    assert tail.has(35) and not tail.has(34)


async def test_more_than_the_ring_holds_between_two_flushes_leaves_readers_behind(monkeypatch):
    monkeypatch.setattr(tails, "RING_EVENTS", 5)
    tail = tail_at(0)
    reader = level_reader(tail)
    tail.add(1, events(1, 30))
    tail.flush()
    assert not reader.is_level and reader.cursor == 0 and tail.sent == 30
    reader.stop()


async def test_history_fills_the_ring_backwards():
    tail = tail_at(10)
    tail.add(11, events(11, 12))
    tail.put_before(events(6, 10), first=6)
    assert tail.oldest == 6
    tail.put_before(events(4, 8), first=4)  # overlaps with what is there
    assert tail.oldest == 4
    tail.put_before(events(1, 2), first=1)  # leaves a hole
    assert tail.oldest == 4
    tail.flush()
    assert [m["seq"] for m in unpacked(tail.frame_after(3, until=12))] == list(range(4, 13))


async def test_a_reader_without_room_does_not_hold_the_others_up():
    tail = tail_at(0)
    slow, quick = level_reader(tail), level_reader(tail)
    slow.outlet.full = True
    tail.add(1, events(1, 3))
    tail.flush()
    assert seqs(quick) == [1, 2, 3]
    assert not slow.is_level and slow.outlet.frames == []

    tail.add(4, events(4, 6))
    tail.flush()
    slow.outlet.free()
    await asyncio.sleep(0.01)
    assert seqs(slow) == [1, 2, 3, 4, 5, 6] and slow.is_level
    tail.add(7, events(7, 7))
    tail.flush()
    assert seqs(slow) == [7]


async def test_a_whisper_is_for_who_is_level_and_has_room():
    tail = tail_at(0)
    listening, busy = level_reader(tail), level_reader(tail)
    busy.outlet.full = True
    tail.whisper(Frame(b'{"type":"typing"}'))
    assert len(listening.outlet.frames) == 1 and busy.outlet.frames == []


async def test_waiting_ends_with_news_with_another_life_or_with_patience():
    tail = tail_at(3)
    assert await tail.moved_past(2, 5)
    assert not await tail.moved_past(3, 0.02)

    waiting = asyncio.create_task(tail.moved_past(3, 5))
    await asyncio.sleep(0)
    tail.add(4, events(4, 4))
    assert await waiting

    waiting = asyncio.create_task(tail.moved_past(4, 5))
    await asyncio.sleep(0)
    tail.start_over(Position("t.1", "e2", 1))
    assert await waiting
    assert not tail._waiters


async def test_starting_over_forgets_everything():
    tail = tail_at(0)
    tail.add(1, events(1, 5))
    tail.flush()
    tail.frame_after(2, until=5)
    tail.add(9, events(9, 9))
    life = tail.life
    tail.start_over(Position("t.1", "e2", 2, 1))
    assert (tail.life, tail.head, tail.sent, tail.floor, tail.epoch) == (life + 1, 2, 2, 1, "e2")
    assert not tail.early and tail.oldest == 3
    tail.add(3, events(3, 4))
    tail.flush()
    assert [m["seq"] for m in unpacked(tail.frame_after(2, until=4))] == [3, 4]
