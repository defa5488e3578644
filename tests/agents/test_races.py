"""Several at the same moment: from threads, each with a connection of its own."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connections, transaction

from apps.accounts.refusals import Conflict
from apps.agents.models import Command
from apps.agents.services import request_command
from apps.events.dispatch import say_goodbye
from apps.events.models import StoredEvent
from apps.events.threads import write_and_wait
from tests.agents.conftest import Worker

pytestmark = pytest.mark.django_db(transaction=True)

SPEC = {"argv": ["a"]}


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each returned, or the Conflict it met."""

    def run(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Conflict as conflict:
            return conflict
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_no_agent_gets_more_than_it_has_slots(hire, team):
    hire("one", labels=["local"], slots=2)
    hire("two", labels=["local"], slots=3)

    def request() -> None:
        with transaction.atomic():
            request_command(team_id=team.pk, spec=SPEC, label="local")

    at_once(*[lambda: write_and_wait(request)] * 8)
    assert Counter(Command.objects.values_list("agent_name", "status")) == {
        ("one", "sent"): 2,
        ("two", "sent"): 3,
        ("", "queued"): 3,
    }


def test_of_many_claims_one_succeeds(worker, team):
    with transaction.atomic():
        command = request_command(team_id=team.pk, spec=SPEC, agent="worker")
    outcomes = at_once(*[lambda: worker.claim(command)] * 6)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 5
    assert [event["status"] for event in worker.inbox_of("command:state")] == ["running"]


@pytest.mark.parametrize("leaving", [True, False], ids=["a goodbye", "a heartbeat"])
def test_an_old_process_changes_nothing_of_the_new_one(worker, team, leaving):
    """It is read before the new process has committed its hello, and acted upon after it."""
    if not leaving:
        say_goodbye(worker.actor)
    new = Worker(worker.key, worker.name)
    new.instance, new.id = "the next life", worker.id
    said_hello = Event()

    def hello() -> None:
        with transaction.atomic():
            new.connect()
            new.claim(request_command(team_id=team.pk, spec=SPEC, agent="worker"))
            said_hello.set()
            time.sleep(0.3)

    def old() -> None:
        said_hello.wait()
        worker.status(leaving=leaving)

    _, refused = at_once(hello, old)
    assert isinstance(refused, Conflict)
    assert (worker.row.status, worker.row.instance, worker.row.connection) == (
        "online",
        "the next life",
        new.actor.connection,
    )
    assert Command.objects.get().status == "running"


def test_ends_and_requests_side_by_side_leave_no_slot_unused_and_no_hole(hire, team):
    workers = [hire(name, labels=["local"], slots=2) for name in ("one", "two")]
    with transaction.atomic():
        first = [request_command(team_id=team.pk, spec=SPEC, label="local") for _ in range(12)]
    begun = [command for command in first if command.agent_id]
    of = {str(worker.row.pk): worker for worker in workers}
    for command in begun:
        of[str(command.agent_id)].claim(command)

    def end(command: Command) -> Callable[[], Any]:
        return lambda: of[str(command.agent_id)].report(command, "succeeded", exit_code=0)

    at_once(*map(end, begun))
    states = Counter(Command.objects.values_list("status", flat=True))
    assert states == {"succeeded": 4, "sent": 4, "queued": 4}
    for topic in (f"team.{team.pk}", *(f"agent.{worker.id}" for worker in workers)):
        seqs = list(StoredEvent.objects.filter(topic=topic).order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, len(seqs) + 1))
