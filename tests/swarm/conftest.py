from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.actors import Actor
from apps.events.dispatch import perform_sync
from apps.swarm.definition import parse
from apps.swarm.models import Project, Run
from apps.swarm.services import load_project


@pytest.fixture
def write_project(team: Any) -> Any:
    """`write_project({"lint": {}, "types": {}}, {"unit": {"retries": 1}})`: one dict of steps for each stage."""

    def write(*stages: dict[str, dict[str, Any]]) -> Project:
        plan = [
            {
                "name": f"stage {number}",
                "steps": [
                    {"name": name, "run": f"make {name}"} | ({} if "agent" in fields else {"label": "local"}) | fields
                    for name, fields in steps.items()
                ],
            }
            for number, steps in enumerate(stages, start=1)
        ]
        return load_project(team, parse({"name": "Check", "stages": plan}))

    return write


@pytest.fixture
def start(bob: Any) -> Any:
    """`start(project)`: a run, started by bob (or another person)."""

    def start(project: Project, by: Any = None, id: str | None = None) -> Run:
        frame = {"type": "run:start", "id": id or uuid4().hex, "topic": f"team.{project.team_id}"}
        ack = perform_sync(Actor(user=by or bob), frame | {"data": {"project_id": str(project.pk)}})
        return Run.objects.get(pk=ack["data"]["run_id"])

    return start


@pytest.fixture
def cancel(bob: Any) -> Any:
    """`cancel(run)`: bob (or another person) ends a run; gives the ack."""

    def cancel(run: Run, by: Any = None) -> dict[str, Any]:
        frame = {"type": "run:cancel", "id": uuid4().hex, "topic": run.topic, "data": {}}
        return perform_sync(Actor(user=by or bob), frame)

    return cancel
