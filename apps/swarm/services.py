"""What can be done about projects and runs."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.accounts.refusals import Conflict, Forbidden, NotFound
from apps.accounts.roles import Role, permits
from apps.accounts.selectors import role_in_team
from apps.agents import services as agents
from apps.agents.contract import TeamTopic
from apps.agents.selectors import is_known
from apps.events import log, wire
from apps.events.declare import Event, Topic
from apps.events.dispatch import handles
from apps.events.models import StoredEvent
from apps.swarm import course
from apps.swarm.contract import CancelRun, RunTopic, StartRun, WorkflowLogged
from apps.swarm.course import Course
from apps.swarm.definition import Definition, parse, parse_yaml
from apps.swarm.models import Project, Run, Stage, Step
from apps.tasks.models import Task
from apps.tasks.owners import owns


@handles(StartRun)
def start_run(actor: Actor, team: TeamTopic, frame: StartRun) -> StoredEvent:
    """Carry out a project: its plan becomes rows, its first stage becomes tasks."""
    agents.lock_team(team.team_id)
    project = Project.objects.filter(pk=frame.project_id, team_id=team.team_id).first()
    if project is None:
        raise NotFound("There is no such project.")
    definition = parse(project.definition)
    _refuse_unknown_agents(definition, team)
    run = Run.objects.create(
        project=project, team_id=team.team_id, name=project.name, started_by=actor.user, by=actor.name
    )
    _write_plan(run, definition)
    stored = log.append(team, course.run_update(run))
    begun = Course(run)
    begun.begin()
    begun.tell()
    return stored


@handles(CancelRun)
def cancel_run(actor: Actor, topic: RunTopic, frame: CancelRun) -> StoredEvent | None:
    """End a run: what waits is skipped, what runs is interrupted."""
    agents.lock_team(Run.objects.get(pk=topic.run_id).team_id)
    going = Course.locked(topic.run_id)
    if going is None:
        raise NotFound("There is no such run.")
    if going.run.is_over:
        raise Conflict(f"This run is over already: {going.run.status}.")
    going.turn_down("cancelled", f"Cancelled by {actor.name}.")
    stored = going.tell()
    going.cancel(by=actor.name)
    ended = going.tell()
    return stored or ended


@owns(course.PURPOSE)
class StepOwner:
    """Tasks that are steps of a run. A run that was deleted meanwhile has nothing to go on with."""

    def task_changed(self, task: Task) -> None:
        if going := Course.locked(task.context["run_id"]):
            going.step_changed(task)
            going.tell()

    def try_ended(self, task: Task) -> None:
        if going := Course.locked(task.context["run_id"]):
            going.try_ended(task)
            going.tell()

    def mirror(self, context: dict[str, Any], text: str, offset: int, at: datetime) -> tuple[Topic, Event]:
        logged = WorkflowLogged(
            stage=context["stage"],
            step=context["step"],
            task_id=context["task_id"],
            agent=context.get("agent"),
            level="info",
            text=text,
            offset=offset,
        )
        return RunTopic.model_validate({"run_id": context["run_id"]}), logged


@transaction.atomic
def save_project(team: Team, definition: Definition, *, replace: Project | None = None) -> Project:
    """Store a project, or another version of one. Raises Conflict when its slug belongs to another one of the team."""
    agents.lock_team(team.pk)
    same = Project.objects.filter(team=team, slug=definition.slug).first()
    if same is not None and (replace is None or same.pk != replace.pk):
        raise Conflict(f'This team has a project "{definition.slug}" already.')
    project = replace or Project(team=team)
    project.name, project.slug = definition.name, definition.slug
    project.description = definition.description
    project.definition = definition.model_dump(mode="json", exclude_defaults=True)
    project.updated_at = wire.now()
    project.save()
    return project


def load_project(team: Team, definition: Definition) -> Project:
    """Store a project under its slug, whether it is there already or not."""
    return save_project(team, definition, replace=Project.objects.filter(team=team, slug=definition.slug).first())


def examples() -> dict[str, Path]:
    """The projects of `examples/`, by the names of their files."""
    return {file.stem: file for file in sorted(Path(settings.BASE_DIR, "examples").glob("*.yaml"))}


def load_examples(team: Team, names: Collection[str]) -> list[Project]:
    """Give a team some of the `examples()`; once or often, the result is the same."""
    with transaction.atomic():
        files = (file for name, file in examples().items() if name in names)
        return [load_project(team, parse_yaml(file.read_text(encoding="utf-8"))) for file in files]


def check_may_edit(actor: Actor, team: Team) -> None:
    """Projects are written by owners. Raises NotFound for strangers, Forbidden for the others."""
    role = role_in_team(actor, team.pk)
    if role is None:
        raise NotFound("There is no such team.")
    if not permits(role, Role.OWNER):
        raise Forbidden("Editing projects needs the role owner in this team.")


def _refuse_unknown_agents(definition: Definition, team: TeamTopic) -> None:
    """A name that no agent has is most likely misspelt, and would wait for ever."""
    for name in sorted({step.agent for _, _, _, step in definition.steps_with_keys() if step.agent}):
        if not is_known(team.team_id, name):
            raise Conflict(f'This team has no agent called "{name}" yet.')


def _write_plan(run: Run, definition: Definition) -> None:
    stages = Stage.objects.bulk_create(
        Stage(run=run, index=index, name=stage.name) for index, stage in enumerate(definition.stages)
    )
    Step.objects.bulk_create(
        Step(
            run=run,
            stage=stages[index],
            position=position,
            key=key,
            name=step.name,
            command=step.line,
            spec=step.spec(),
            agent=step.agent or "",
            label=step.label or "",
            retries=step.retries,
            lost_retries=step.lost_retries,
            allow_failure=step.allow_failure,
        )
        for index, position, key, step in definition.steps_with_keys()
    )
