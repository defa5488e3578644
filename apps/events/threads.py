"""Where database work runs. The event loop never waits for a database; these threads do.

SQLite gets one writer thread: two writers would only wait for each other, in sleeps. PostgreSQL gets a few.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

P = ParamSpec("P")
T = TypeVar("T")

READERS = 4
WRITERS_ON_POSTGRES = 4
AT_ONCE_SECONDS = 1.0
"""What fails within this has lost its connection; what takes longer has waited in vain, and would again."""


def in_writer(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Run `work`, which writes, without blocking the loop."""
    return asyncio.get_running_loop().run_in_executor(_writers(), _with_connection, work, args, kwargs)


def in_writer_twice(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """The same for `work` that may be done twice: once more, if the connection was lost."""
    return asyncio.get_running_loop().run_in_executor(_writers(), _with_a_live_connection, work, args, kwargs)


def in_reader(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Run `work`, which only reads, without blocking the loop."""
    return asyncio.get_running_loop().run_in_executor(_readers(), _with_a_live_connection, work, args, kwargs)


def in_scanner(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Run `work`, which reads much, without blocking the loop: one at a time, so that others stay quick."""
    return asyncio.get_running_loop().run_in_executor(_scanner(), _with_a_live_connection, work, args, kwargs)


def write_and_wait(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work`, which writes, from a thread that may wait: a Django view or a management command."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        return _writers().submit(_with_connection, work, args, kwargs).result()
    return work(*args, **kwargs)


def write_soon(work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Have `work`, which writes and says itself what went wrong, run when a writer has time: nobody waits for it."""
    if connection.in_atomic_block:
        work(*args, **kwargs)
    else:
        _writers().submit(_with_connection, work, args, kwargs)


def release_connections() -> None:
    """Close the connections of these threads; each opens a new one when it is needed. Waits for what runs."""
    for threads, count in ((_writers(), _writer_count()), (_readers(), READERS), (_scanner(), 1)):
        everybody = Barrier(count)  # so that each thread takes one of these jobs, and only one
        for closing in [threads.submit(_close_with_others, everybody) for _ in range(count)]:
            closing.result()


def _writer_count() -> int:
    return 1 if connection.vendor == "sqlite" else WRITERS_ON_POSTGRES


@cache
def _writers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_writer_count(), thread_name_prefix="writer")


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READERS, thread_name_prefix="reader")


@cache
def _scanner() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="scanner")


def _with_connection(work: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> T:
    """Each of these few threads keeps its connection: to get one costs more than most jobs. A broken one goes."""
    try:
        return work(*args, **kwargs)
    finally:
        if connection.errors_occurred:
            connection.close()


def _with_a_live_connection(work: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> T:
    """A connection that the database has ended meanwhile costs nobody an answer."""
    began = time.monotonic()
    try:
        return _with_connection(work, args, kwargs)
    except (OperationalError, InterfaceError):
        if time.monotonic() - began > AT_ONCE_SECONDS:
            raise
    if (pool := getattr(connection, "pool", None)) is not None:
        pool.check()  # The others have most likely ended with it.
    return _with_connection(work, args, kwargs)


def _close_with_others(everybody: Barrier) -> None:
    everybody.wait(timeout=30)
    connection.close()
