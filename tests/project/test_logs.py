"""What the server's log is spared, and what not."""

import logging

import pytest
from redis.exceptions import ConnectionError, TimeoutError

CHANNELS_REDIS = logging.getLogger("channels_redis.pubsub")


def failed(problem: Exception) -> None:
    """As channels_redis says it."""
    try:
        raise problem
    except Exception:
        CHANNELS_REDIS.exception("Unexpected exception in receive task")


@pytest.mark.parametrize(
    "problem", [ConnectionError("Connection closed by server."), TimeoutError(), ConnectionRefusedError(111)]
)
def test_a_redis_that_is_away_is_not_repeated_each_second(problem, caplog):
    failed(problem)
    assert not caplog.records


def test_any_other_fault_is_in_the_log(caplog):
    failed(KeyError("channel"))
    assert "KeyError: 'channel'" in caplog.text
