"""Who has arrived, who is behind, and what makes a round fail."""

import pytest

from benchmarks.connections import Audience, TextbookReader
from benchmarks.payload import OutOfOrder, dumps, envelope, log_line
from tests.benchmarks.test_frames import from_server

TOPIC = "terminal.1"


def told(*seqs: int) -> bytes:
    return b"".join(from_server(dumps(envelope(TOPIC, seq, "c", log_line(1)))) for seq in seqs)


async def test_everyone_is_there_when_the_last_reader_has_the_last_event() -> None:
    audience = Audience()
    alice, bob = TextbookReader(audience, TOPIC), TextbookReader(audience, TOPIC)
    audience.aim(2)
    alice.received(told(1, 2))
    bob.received(told(1))
    assert audience.behind() == [bob]
    bob.received(told(2))
    await audience.everyone_there(1)
    assert len(audience.latencies) == 4


async def test_waiting_says_how_many_are_behind() -> None:
    audience = Audience()
    TextbookReader(audience, TOPIC)
    audience.aim(1)
    with pytest.raises(TimeoutError, match="1 of 1 readers are behind seq 1"):
        await audience.everyone_there(0.01)


@pytest.mark.parametrize("seqs", [(1, 3), (1, 1), (2,)], ids=["hole", "twice", "first missing"])
async def test_a_reader_that_is_given_the_wrong_event_fails_the_round(seqs: tuple[int, ...]) -> None:
    audience = Audience()
    reader = TextbookReader(audience, TOPIC)
    audience.aim(3)
    reader.received(told(*seqs))
    with pytest.raises(OutOfOrder):
        await audience.everyone_there(1)


async def test_readers_that_are_there_already_need_not_arrive() -> None:
    audience = Audience()
    TextbookReader(audience, TOPIC, after=5)
    audience.aim(5)
    await audience.everyone_there(0.01)
