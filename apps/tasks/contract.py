"""What can be said about tasks, all of it on the team's topic."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from apps.accounts.roles import Role
from apps.agents.contract import MAX_TIMEOUT, TeamTopic
from apps.events.declare import CommandFrame, Event, without_nul
from apps.tasks.models import Task


def _says_something(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Line = Annotated[
    str, Field(min_length=1, max_length=8000), AfterValidator(_says_something), AfterValidator(without_nul)
]
Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(without_nul)]


class TaskUpdated(Event, type="task_update", topic=TeamTopic):
    """A task is new, or something about it has changed. It says all that a row of a task list shows."""

    task_id: UUID
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    query: str
    progress: int = Field(ge=0, le=100)
    agent: str | None = Field(description="Who does it, or for whom it waits.")
    agent_id: UUID | None = Field(description="Of the agent that does it.")
    label: str | None
    exit_code: int | None
    attempt: int
    error: str | None
    author: str
    purpose: str = Field(description="Empty for a task of its own; step for a step of a run.")
    cancelling: bool = Field(description="Somebody asked for its end, and the agent has not confirmed it yet.")
    created_at: str
    started_at: str | None
    ended_at: str | None

    @classmethod
    def of(cls, task: Task) -> Self:
        return cls.model_validate(task.as_data())


class SubmitTask(CommandFrame, type="task:submit", topic=TeamTopic, role=Role.OPERATOR, rate="20/s"):
    """Have something done by an agent, chosen by name or by label; with neither, by any agent of the team."""

    query: Line
    command: Line | None = Field(default=None, description="The shell command line, if the query itself is none.")
    agent: Name | None = None
    label: Name | None = None
    timeout: float = Field(default=3600, gt=0, le=MAX_TIMEOUT, description="Seconds.")
    retries: int = Field(default=0, ge=0, le=10)

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.agent is not None and self.label is not None:
            raise ValueError("name an agent or a label, not both")
        return self


class CancelTask(CommandFrame, type="task:cancel", topic=TeamTopic, role=Role.OPERATOR, rate="20/s"):
    """End a task: at once if it waits, through an interrupt if it runs."""

    task_id: UUID
