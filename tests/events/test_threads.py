"""Where database work runs: a connection that the database has ended costs nobody an answer."""

import asyncio
import threading

import pytest
from django.db import OperationalError, connection, transaction

from apps.accounts import writes
from apps.events import threads
from apps.events.models import Head
from apps.events.threads import READERS, in_reader, in_scanner, in_writer, in_writer_twice
from tests.support.databases import let_go

pytestmark = pytest.mark.usefixtures("transactional_db")


class Work:
    """It fails so many times, then it works."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        Head.objects.exists()
        if self.failures:
            raise self.failures.pop()
        return "an answer"


def lost():
    return OperationalError("the connection is closed")


@pytest.mark.parametrize("run", [in_reader, in_scanner, in_writer_twice])
async def test_what_may_be_done_twice_is_when_the_connection_was_lost(run):
    work = Work(lost())
    assert (await run(work), work.calls) == ("an answer", 2)


async def test_what_fails_again_fails(run=in_reader):
    work = Work(lost(), lost())
    with pytest.raises(OperationalError):
        await run(work)
    assert work.calls == 2


async def test_what_writes_is_not_done_twice_by_itself():
    work = Work(lost())
    with pytest.raises(OperationalError):
        await in_writer(work)
    assert work.calls == 1


async def test_what_waited_in_vain_is_not_made_to_wait_again(monkeypatch):
    monkeypatch.setattr(threads, "AT_ONCE_SECONDS", -1)
    work = Work(OperationalError("database is locked"))
    with pytest.raises(OperationalError):
        await in_reader(work)
    assert work.calls == 1


def look():
    return Head.objects.filter(topic="nothing").exists()


def end_all_connections():
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


def test_after_all_connections_have_ended_everybody_is_answered():
    async def many_look():
        return await asyncio.gather(*[in_reader(look) for _ in range(4 * READERS)])

    asyncio.run(many_look())
    end_all_connections()
    assert asyncio.run(many_look()) == [False] * 4 * READERS
    let_go()  # Writers are not made to try twice: the next test's would fail.
    if (pool := getattr(connection, "pool", None)) is not None:
        pool.check()


@pytest.fixture
def busy_writers():
    """Every thread that writes has something else to do until this is set."""
    free, count = threading.Event(), threads._writer_count()
    all_busy = threading.Barrier(count + 1)

    def be_busy():
        all_busy.wait(30)
        free.wait(30)

    jobs = [threads._writers().submit(be_busy) for _ in range(count)]
    all_busy.wait(30)
    yield free
    free.set()
    for job in jobs:
        job.result()


def test_what_accounts_writes_soon_is_waited_for_by_nobody(busy_writers):
    written = threading.Event()
    writes.write_soon(written.set)
    assert not written.is_set()
    busy_writers.set()
    assert written.wait(30)


def test_inside_a_transaction_it_is_written_at_once(busy_writers):
    written = threading.Event()
    with transaction.atomic():
        writes.write_soon(written.set)
    assert written.is_set()
