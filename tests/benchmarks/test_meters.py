"""Figures of a benchmark."""

import os

import pytest

from benchmarks.meters import CpuWatch, Latency, memory, percentile
from benchmarks.report import Outcome


def test_percentiles_of_known_values() -> None:
    values = list(range(1, 101))
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1.0)) == (51, 100, 100)
    assert percentile([], 0.5) == 0


def test_latencies_are_milliseconds_and_the_median_round_counts() -> None:
    rounds = [Latency.of([number * 1_000_000]) for number in (1, 2, 90)]
    assert Latency.median(rounds) == Latency(2, 2, 2)


def test_this_process_uses_memory_and_time() -> None:
    assert memory(os.getpid()).rss >= memory(os.getpid()).pss > 1_000
    watch = CpuWatch(os.getpid())
    sum(range(2_000_000))
    assert watch.server == pytest.approx(watch.own, abs=0.05)


def test_an_outcome_is_one_json_line_and_one_row() -> None:
    outcome = Outcome("idle", "20 KB", "27 KB", "≤ 24 KB", reached=False)
    assert "\n" not in outcome.json_line
    assert outcome.row == "| idle | 20 KB | 27 KB | ≤ 24 KB | **no** |"
