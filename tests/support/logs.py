"""Runs with logs, written as agents' output is: `LiveServer.do("tests.support.logs:run_with_log", …)`."""

import random
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

STEPS = ("build", "unit-tests", "lint")
LINES_PER_EVENT = 20
EVENTS_PER_TRANSACTION = 500

_printed: dict[tuple[str, str], int] = {}


def run_with_log(user: int, team: str, lines: int = 0) -> dict[str, Any]:
    """A run whose three steps wait for an agent, and have printed `lines` lines nevertheless: `{id, topic}`."""
    from apps.accounts.actors import Actor
    from apps.accounts.models import Team, User
    from apps.events.dispatch import perform_sync
    from apps.swarm.definition import parse
    from apps.swarm.services import load_project

    steps = [{"name": step, "run": "true", "label": "nowhere"} for step in STEPS]
    definition = parse({"name": f"Log of {lines:,} lines", "stages": [{"name": "all", "steps": steps}]})
    project = load_project(Team.objects.get(pk=team), definition)
    frame = {"type": "run:start", "id": uuid4().hex, "topic": f"team.{team}", "data": {"project_id": str(project.pk)}}
    run_id = str(perform_sync(Actor(user=User.objects.get(pk=user)), frame)["data"]["run_id"])
    if lines:
        print_all(run_id, _chunks(lines))
    return {"id": run_id, "topic": f"run.{run_id}", "project": str(project.pk)}


def print_all(run_id: str, texts: Iterable[tuple[str, str]], *, level: str = "info") -> int:
    """Let steps print texts, given as (step, text): each is one event, and goes on where the step's last one ended."""
    from django.db import transaction

    from apps.events import log
    from apps.events.log import Draft
    from apps.swarm.contract import RunTopic, WorkflowLogged

    topic = RunTopic.model_validate({"run_id": run_id})
    drafts: list[Draft] = []
    count = 0

    def store() -> None:
        with transaction.atomic():
            log.append_all(drafts)
        drafts.clear()

    for step, text in texts:
        offset = _printed.get((run_id, step), 0)
        _printed[run_id, step] = offset + len(text)
        printed = {"stage": "all", "step": step, "agent": f"box-{step}", "level": level, "text": text, "offset": offset}
        drafts.append(Draft(topic, WorkflowLogged.model_validate({"task_id": None, **printed}), "key:logs"))
        count += 1
        if len(drafts) == EVENTS_PER_TRANSACTION:
            store()
    if drafts:
        store()
    return count


def agent_with_output(team: str, *texts: str) -> str:
    """An agent whose terminal has the output of a command for each text. Gives its page's address."""
    from django.db import transaction

    from apps.agents.contract import TerminalPrinted, TerminalTopic
    from apps.agents.models import Agent
    from apps.events import log

    agent = Agent.objects.create(team_id=team, name="box-1", status="online", accepts=["shell"])
    for text in texts:
        with transaction.atomic():
            log.append(TerminalTopic(agent_id=agent.pk), TerminalPrinted(command_id=uuid4(), offset=0, text=text))
    return f"/agents/{agent.pk}/"


def _chunks(lines: int) -> Iterator[tuple[str, str]]:
    """Chunks as agents send them: several lines each, every third one cut in the middle of a line."""
    chance = random.Random(lines)
    rests = dict.fromkeys(STEPS, "")
    number = 0
    while number < lines:
        step = STEPS[chance.randrange(len(STEPS))]
        count = min(LINES_PER_EVENT, lines - number)
        text = "".join(_line(number + n) for n in range(count))
        number += count
        cut = chance.randrange(1, len(text)) if chance.randrange(3) == 0 else len(text)
        yield step, rests[step] + text[:cut]
        rests[step] = text[cut:]
    yield from ((step, rest) for step, rest in rests.items() if rest)


def _line(number: int) -> str:
    if number % 50 == 0:
        return f"\x1b[33mwarning\x1b[0m: unused variable `x_{number}` in \x1b[36msrc/part_{number % 97}.rs\x1b[0m\n"
    return f"   Compiling part-{number:07d} v0.{number % 40}.1 (/work/parts/{number % 997}) in {number % 89} ms\n"
