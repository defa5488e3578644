"""A reader of a benchmark may not miss, repeat or reorder anything unnoticed."""

import pytest

from benchmarks.payload import Delivery, Memo, OutOfOrder, delivery_of, envelope, log_line, stamps_in


def event(seq: int, at: int = 5) -> dict[str, object]:
    return envelope("terminal.1", seq, "c", log_line(at))


def test_a_line_carries_the_time_at_which_it_was_sent() -> None:
    assert stamps_in(log_line(17) + "noise " + log_line(18)) == [17, 18]


def test_every_line_has_the_same_size() -> None:
    assert len(log_line(1)) == len(log_line(2**62))


def test_a_delivery_counts_its_events_and_their_times() -> None:
    assert delivery_of([event(7, at=1), event(8, at=2)]) == Delivery(7, 8, (1, 2))


@pytest.mark.parametrize("seqs", [(1, 3), (2, 1), (1, 1)], ids=["hole", "other order", "twice"])
def test_one_message_with_a_wrong_seq_is_noticed(seqs: tuple[int, int]) -> None:
    with pytest.raises(OutOfOrder):
        delivery_of([event(seq) for seq in seqs])


def test_an_event_without_text_is_delivered_too() -> None:
    assert delivery_of([{"seq": 3, "data": {"status": "running"}}]) == Delivery(3, 3, ())


def test_the_memo_forgets_before_it_grows_without_end() -> None:
    memo = Memo(limit=2)
    for number in range(5):
        memo.keep(b"%d" % number, Delivery(1, 1, ()))
    assert len(memo.known) <= 2
    assert b"4" in memo.known
