"""Whatever is sent to a REST endpoint, the answer is not a failure of the server."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import connection
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from apps.accounts import tokens
from apps.accounts.actors import Actor
from apps.chat.services import open_session
from apps.events import declare
from apps.events.dispatch import perform_sync
from apps.swarm.definition import parse
from apps.swarm.services import load_project
from tests.agents.conftest import Worker

LEFT_OUT = ("/api/v1/events/", "/v1/public/")
"""The log is read in threads that do not see an unfinished test's rows; the others are the same views once more."""
STEP = {"name": "unit", "run": "make test", "label": "local"}


@pytest.fixture
def known(team: Any, alice: Any, bob: Any, agent_key: Any) -> dict[str, str]:
    """What exists: ids by the names that addresses, fields and topics have for them."""
    alice.is_staff, alice.first_name, alice.last_name = True, "A" * 150, "L" * 150
    alice.save()
    worker = Worker(agent_key, "worker")
    worker.connect(labels=["local"])
    project = load_project(team, parse({"name": "Check", "stages": [{"name": "Test", "steps": [STEP]}]}))
    session = open_session(Actor(user=alice), team=team, title="Release")

    def send(type: str, topic: str, **data: Any) -> Any:
        return perform_sync(Actor(user=alice), {"type": type, "id": type, "topic": topic, "data": data})["data"]

    task = send("task:submit", f"team.{team.pk}", query="ls", label="local")
    command = send("command:request", f"agent.{worker.id}", spec={"argv": ["ls"]})
    run = send("run:start", f"team.{team.pk}", project_id=str(project.pk))
    ids = {
        "agent": worker.id,
        "terminal": worker.id,
        "command": command["command_id"],
        "prefix": agent_key.prefix,
        "team": team.pk,
        "project": project.pk,
        "run": run["run_id"],
        "task": task["task_id"],
        "session": session.pk,
        "chat": session.pk,
        "user": bob.pk,
    }
    return {name: str(id) for name, id in ids.items()}


def test_no_request_fails_the_server(known: dict[str, str], alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # A server lets go of its connection between requests; this one has the rows of the test.
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    headers = {"Authorization": f"Bearer {tokens.issue(alice).access}"}

    def ask(case: Any) -> None:
        _speak_of_what_exists(case.body, known)
        answer = case.call(headers=headers)
        assert answer.status_code < 500, f"{answer.status_code}: {case.as_curl_command()}"

    for operation in _operations():
        path = {
            parameter.name: known[_thing(parameter.name, operation.path)] for parameter in operation.path_parameters
        }
        for mode in GenerationMode:
            cases = operation.as_strategy(mode, path_parameters=path)
            _some(8 if operation.body else 2)(given(cases)(ask))()


def _some(examples: int) -> settings:
    """Always the same ones, so that what failed fails again."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def _operations() -> Iterator[Any]:
    api = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))  # type: ignore[no-untyped-call]
    api.app = get_wsgi_application()
    operations = (cast(Ok[Any], found).ok() for found in api.get_all_operations())
    return (operation for operation in operations if not operation.path.startswith(LEFT_OUT))


def _thing(parameter: str, path: str) -> str:
    """`project_id` is a project; the `id` in `/api/v1/agents/{id}/` is an agent."""
    before = path.partition("/{id}")[0]
    return before.rpartition("/")[2].removesuffix("s") if parameter == "id" else parameter.removesuffix("_id")


def _speak_of_what_exists(body: Any, known: dict[str, str]) -> None:
    """Otherwise most bodies would only be about something that nobody knows."""
    for part in body if isinstance(body, list) else [body]:
        if isinstance(part, dict):
            part |= {name: known[name] for name in ("agent", "team") if name in part}
            frame = declare.frames.get(str(part.get("type")))
            if frame is not None and frame.TOPIC is not None:
                part["topic"] = ".".join([frame.TOPIC.kind, *filter(None, [known.get(frame.TOPIC.kind)])])
