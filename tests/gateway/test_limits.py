"""Token buckets, and what follows when they are empty."""

import pytest

from apps.accounts.refusals import (
    BadFrame,
    Forbidden,
    Invalid,
    NotFound,
    TooFast,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from apps.gateway import limits
from apps.gateway.limits import STRIKES, Allowance, Bucket


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1_000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    return clock


def test_a_bucket_gives_what_it_saved_and_then_its_rate(clock):
    bucket = Bucket(10, 3)
    assert [bucket.take() for _ in range(3)] == [0, 0, 0]
    assert bucket.take() == pytest.approx(0.1)
    clock.now += 0.1
    assert bucket.take() == 0
    clock.now += 3_600
    assert [bucket.take() > 0 for _ in range(4)] == [False, False, False, True]


def test_asking_in_vain_costs_nothing(clock):
    bucket = Bucket(1, 1)
    bucket.take()
    for _ in range(100):
        assert bucket.take() > 0
    clock.now += 1
    assert bucket.take() == 0


def test_a_slow_rate_still_lets_one_through(clock):
    bucket = Bucket(1 / 60)
    assert bucket.take() == 0
    assert bucket.take() == pytest.approx(60)


def test_a_connection_has_so_many_frames_per_second(clock):
    allowance = Allowance(5)
    for _ in range(5):
        allowance.spend()
    with pytest.raises(TooFast) as refused:
        allowance.spend()
    assert refused.value.retry_after == 0.2
    clock.now += 0.2
    allowance.spend()


def test_each_type_has_its_own_rate(clock):
    allowance = Allowance(100)
    for _ in range(2):
        allowance.spend_on("typing", 2)
    with pytest.raises(TooFast, match="typing"):
        allowance.spend_on("typing", 2)
    allowance.spend_on("message", 2)


def test_who_goes_on_and_on_is_cut_off(clock):
    allowance = Allowance(5)
    assert [allowance.strike(BadFrame()) for _ in range(STRIKES + 1)] == [False] * STRIKES + [True]


def test_one_strike_is_forgiven_each_second(clock):
    allowance = Allowance(5)
    for _ in range(200):
        assert not allowance.strike(BadFrame())
        clock.now += 1


@pytest.mark.parametrize("refusal", [TooLarge, TooFast])
def test_large_and_hasty_frames_count_as_bad_ones_do(clock, refusal):
    allowance = Allowance(5)
    assert any(allowance.strike(refusal()) for _ in range(STRIKES + 1))


@pytest.mark.parametrize("refusal", [Invalid, NotFound, Forbidden, Unauthenticated, Unavailable])
def test_an_ordinary_no_is_no_strike(clock, refusal):
    allowance = Allowance(5)
    assert not any(allowance.strike(refusal()) for _ in range(1_000))
