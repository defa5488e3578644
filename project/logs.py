"""What is not worth a line in the server's log."""

from logging import LogRecord


def is_no_lost_redis(record: LogRecord) -> bool:
    """False for what channels_redis says each second while Redis is away; the gateway says that itself, once."""
    from redis.exceptions import ConnectionError, TimeoutError

    problem = record.exc_info and record.exc_info[1]
    return not isinstance(problem, ConnectionError | TimeoutError | OSError)
