from uuid import uuid4

import pytest

from apps.accounts.actors import Actor
from apps.accounts.refusals import NotFound
from apps.events import log
from apps.swarm import selectors

pytestmark = pytest.mark.django_db


def test_the_current_run_of_a_project_is_its_newest(write_project, start, bob):
    project = write_project({"lint": {}})
    actor = Actor(user=bob)
    assert selectors.current_run_topic(actor, str(project.pk)) is None

    runs = [start(project) for _ in range(2)]
    newest = max(runs, key=lambda run: (run.started_at, run.pk))

    assert str(selectors.current_run_topic(actor, str(project.pk))) == newest.topic


def test_a_stranger_learns_of_no_run(write_project, start, mallory):
    project = write_project({"lint": {}})
    start(project)

    for id in (str(project.pk), str(uuid4()), "nonsense"):
        with pytest.raises(NotFound, match="There is no such project"):
            selectors.current_run_topic(Actor(user=mallory), id)


def test_a_watcher_goes_on_from_the_cursor_of_what_it_sees(write_project, start):
    run = start(write_project({"lint": {}}))
    seen = selectors.watch(run)

    assert seen["cursor"]["seq"] > 0
    assert log.read_after(run.topic, seen["cursor"]["seq"], seen["cursor"]["epoch"]).events == ()
