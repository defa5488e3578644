"""What can be said about projects and runs."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from apps.accounts.actors import Actor
from apps.accounts.roles import Role
from apps.agents.contract import TeamTopic
from apps.events.declare import CommandFrame, Event, Retention, Topic
from apps.swarm import selectors

StepState = Literal["queued", "running", "completed", "failed", "lost", "cancelled", "skipped"]
StageState = Literal["waiting", "running", "completed", "failed", "skipped"]
RunEnd = Literal["completed", "failed", "cancelled"]
RunState = Literal["running", "completed", "failed", "cancelled"]


class RunTopic(Topic, pattern="run.{run_id}", retention=Retention(days=90)):
    """Everything that happens in one run of a project, in order."""

    run_id: UUID

    def role_of(self, actor: Actor) -> Role | None:
        return selectors.role_in_run(actor, self.run_id)


class _Plan(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlannedStep(_Plan):
    """A step before it starts."""

    key: str
    name: str
    agent: str | None
    label: str | None
    command: str
    allow_failure: bool


class PlannedStage(_Plan):
    """Steps that will run side by side."""

    name: str
    steps: list[PlannedStep]


class ProjectStarted(Event, type="project_started", topic=RunTopic):
    """A run begins; this is its whole plan, and all of it waits."""

    run_id: UUID
    project_id: UUID
    team_id: UUID
    name: str
    stages: list[PlannedStage]
    by: str
    started_at: str


class WorkflowStageUpdated(Event, type="workflow_stage_update", topic=RunTopic):
    """A stage has come into another state."""

    run_id: UUID
    stage: str = Field(description="Its name.")
    index: int = Field(description="Its place in the run, from 0.")
    status: StageState


class AgentStatusUpdated(Event, type="agent_status_update", topic=RunTopic):
    """A step has come into another state, or another agent or try has it. It says all that is known of the step."""

    run_id: UUID
    stage: str
    step: str = Field(description="Its key.")
    task_id: UUID | None
    agent_id: UUID | None
    agent: str | None
    status: StepState
    exit_code: int | None
    attempt: int
    error: str | None
    started_at: str | None
    ended_at: str | None


class WorkflowLogged(Event, type="workflow_log", topic=RunTopic, stream="step"):
    """A piece of what a step prints, or a line of Signalbox about it."""

    stage: str
    step: str
    task_id: UUID | None
    agent: str | None
    level: Literal["info", "error", "system"]
    text: str
    offset: int | None = Field(description="Characters that this try printed before; null in Signalbox's own lines.")


class ProjectProgressed(Event, type="project_progress", topic=RunTopic):
    """Another step has ended."""

    done: int
    total: int
    percent: int = Field(ge=0, le=100)


class ProjectCompleted(Event, type="project_completed", topic=RunTopic):
    """The run is over, well or not; nothing follows."""

    status: RunEnd
    seconds: float
    ended_at: str


class ProjectErred(Event, type="project_error", topic=RunTopic):
    """The run will not complete. Steps that still run come to their end first; then follows `project_completed`."""

    code: Literal["step_failed", "cancelled"]
    message: str
    step: str | None = None


class RunUpdated(Event, type="run_update", topic=TeamTopic):
    """For lists of runs: one has started, got further, or ended."""

    run_id: UUID
    project_id: UUID
    project: str
    status: RunState
    done: int
    total: int
    by: str
    started_at: str
    ended_at: str | None


class StartRun(CommandFrame, type="run:start", topic=TeamTopic, role=Role.OPERATOR, rate="5/s"):
    """Carry out a project."""

    project_id: UUID


class CancelRun(CommandFrame, type="run:cancel", topic=RunTopic, role=Role.OPERATOR, rate="5/s"):
    """End a run: what waits is skipped, what runs is interrupted."""
