"""What can be said by, to and about agents."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from apps.accounts.actors import Actor
from apps.accounts.roles import Role
from apps.accounts.selectors import role_in_team
from apps.agents import selectors
from apps.agents.models import INSTANCE_LENGTH, KIND_LENGTH, NAME_LENGTH, Agent, Command
from apps.events.declare import CommandFrame, Event, Retention, Topic, Whisper, without_nul

MAX_TEXT = 64 * 1024
MAX_TIMEOUT = 24 * 3600


def _nul_shown(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _presentable(name: str) -> str:
    if not name.isprintable() or name != name.strip():
        raise ValueError("must be printable, without space at its ends")
    return name


Word = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH), AfterValidator(without_nul)]
Kind = Annotated[str, Field(min_length=1, max_length=KIND_LENGTH), AfterValidator(without_nul)]
Instance = Annotated[str, Field(min_length=1, max_length=INSTANCE_LENGTH), AfterValidator(without_nul)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH), AfterValidator(_presentable)]
Line = Annotated[str, Field(max_length=8000), AfterValidator(without_nul)]
Sentence = Annotated[str, Field(max_length=4000), AfterValidator(_nul_shown)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Bytes = Annotated[int, Field(ge=0, lt=2**63)]
CommandIds = Annotated[list[UUID], Field(max_length=1000)]


# Topics -------------------------------------------------------------------------------------------


class TeamTopic(Topic, pattern="team.{team_id}", retention=Retention(days=90)):
    """What concerns a whole team: its agents, tasks and runs come and go."""

    team_id: UUID

    def role_of(self, actor: Actor) -> Role | None:
        return role_in_team(actor, self.team_id)


class AgentTopic(Topic, pattern="agent.{agent_id}", retention=Retention(days=90)):
    """An agent's inbox, and what became of each command in it."""

    agent_id: UUID

    def role_of(self, actor: Actor) -> Role | None:
        return selectors.role_at_agent(actor, self.agent_id)


class TerminalTopic(Topic, pattern="terminal.{agent_id}", retention=Retention(days=14, events=200_000)):
    """Everything that an agent's commands print, as it was printed."""

    agent_id: UUID

    def role_of(self, actor: Actor) -> Role | None:
        return selectors.role_at_agent(actor, self.agent_id)


# Parts --------------------------------------------------------------------------------------------


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spec(_Part):
    """What to run, where and how: `argv` as it is, or `shell` as a line for /bin/sh."""

    argv: list[Line] = Field(default=[], max_length=1000)
    shell: Line = ""
    cwd: Line = ""
    env: dict[Word, Line] = Field(default={}, max_length=100)
    timeout: float | None = Field(default=None, gt=0, le=MAX_TIMEOUT, description="Seconds.")
    cols: int = Field(default=120, ge=1, le=1000)
    rows: int = Field(default=40, ge=1, le=1000)

    @model_validator(mode="after")
    def _runs_one_thing(self) -> Self:
        if bool(self.argv) == bool(self.shell):
            raise ValueError("give either argv or shell")
        if not (self.argv[0] if self.argv else self.shell).strip():
            raise ValueError("a blank command does nothing")
        return self


class Metrics(_Part):
    """What an agent and its commands cost now. 100 cpu_percent are one core; load is the machine's, of one minute."""

    cpu_percent: Seconds = 0
    rss_bytes: Bytes = 0
    load: Seconds = 0


# Events -------------------------------------------------------------------------------------------


class AgentUpdated(Event, type="agent_update", topic=TeamTopic):
    """An agent came, changed in something that people see, or was deleted."""

    change: Literal["registered", "updated", "deleted"]
    agent_id: UUID
    name: str
    status: Literal["online", "away", "offline"]
    accepts: list[str]
    labels: list[str]
    slots: int
    busy: int = Field(description="Commands in its inbox or running.")
    version: str
    platform: str

    @classmethod
    def of(cls, agent: Agent, change: str = "updated") -> Self:
        return cls.model_validate(
            {
                "change": change,
                "agent_id": agent.pk,
                "name": agent.name,
                "status": agent.status,
                "accepts": agent.accepts,
                "labels": agent.labels,
                "slots": agent.slots,
                "busy": selectors.busy(agent),
                "version": agent.version,
                "platform": agent.platform,
            }
        )


class AgentConnected(Event, type="agent:connected", topic=AgentTopic):
    """An agent introduced itself. This is the answer it gets: where it reads on, and what it has to drop."""

    agent_id: UUID
    topic: str
    terminal: str
    after: int = Field(description="The seq before the oldest open request in its inbox.")
    epoch: str
    lease_seconds: float
    heartbeat_seconds: float
    instance: str
    stop: list[UUID] = Field(description="Commands it said it has, and that are not its own any more.")


class AgentStatusChanged(Event, type="agent:status", topic=AgentTopic):
    """The agent is connected, away or gone."""

    status: Literal["online", "away", "offline"]


class AgentMeasured(Whisper, type="metrics", topic=AgentTopic):
    """What the agent costs now, and how many commands it runs."""

    agent_id: UUID
    metrics: Metrics
    running: int


class CommandRequested(Event, type="command:request", topic=AgentTopic):
    """A command lies in the agent's inbox."""

    command_id: UUID
    kind: str
    purpose: str
    label: str
    spec: dict[str, Any]
    attempt: int
    by: str

    @classmethod
    def of(cls, command: Command) -> Self:
        return cls(
            command_id=command.pk,
            kind=command.kind,
            purpose=command.purpose,
            label=command.label,
            spec=command.spec,
            attempt=command.attempt,
            by=command.requested_by,
        )


class InterruptRequested(Event, type="command:interrupt", topic=AgentTopic):
    """The agent has to stop a command."""

    command_id: UUID
    by: str


class CommandChanged(Event, type="command:state", topic=AgentTopic):
    """A command went on, or the agent confirmed a step of its interrupt; `queued`: it left this inbox unclaimed."""

    command_id: UUID
    status: Literal["queued", "sent", "running", "succeeded", "failed", "interrupted", "lost"]
    interrupt: Literal["delivered", "acknowledged"] | None
    exit_code: int | None
    error: str
    cpu_seconds: float | None
    max_rss_bytes: int | None

    @classmethod
    def of(cls, command: Command, interrupt: str | None = None) -> Self:
        return cls.model_validate(
            {
                "command_id": command.pk,
                "status": command.status,
                "interrupt": interrupt,
                "exit_code": command.exit_code,
                "error": command.error,
                "cpu_seconds": command.cpu_seconds,
                "max_rss_bytes": command.max_rss_bytes,
            }
        )


class TerminalPrinted(Event, type="terminal:output", topic=TerminalTopic, stream="command_id"):
    """A command printed something. `offset`: characters that it printed before."""

    command_id: UUID
    offset: int
    text: str


# Command frames of agents ---------------------------------------------------------------------------


class ConnectAgent(CommandFrame, type="agent:connect", topic=None, role=Role.AGENT, rate="5/s"):
    """Introduce oneself, first thing on each connection. Another `instance` means that the process is a new one.

    `ended` as in `agent:status`.
    """

    name: Name
    instance: Instance
    accepts: list[Kind] = Field(default=["shell"], max_length=32)
    labels: list[Word] = Field(default=[], max_length=32)
    slots: int = Field(default=1, ge=1, le=1000)
    version: str = Field(default="", max_length=64, pattern=r"^[^\x00]*$")
    platform: str = Field(default="", max_length=200, pattern=r"^[^\x00]*$")
    running: CommandIds = []
    ended: CommandIds = []


class ReportStatus(CommandFrame, type="agent:status", topic=AgentTopic, role=Role.AGENT, rate="5/s", audit=False):
    """Renew the lease; `leaving` gives it back. A claimed command that `running` leaves out is lost.

    `ended` names those of them whose process is gone and whose output or report is under way: none of these is overdue.
    """

    instance: Instance
    metrics: Metrics = Metrics()
    running: CommandIds = []
    ended: CommandIds = []
    leaving: bool = False


class ReportCommand(CommandFrame, type="command:state", topic=AgentTopic, role=Role.AGENT, audit=False):
    """Claim a command (`running`), confirm a step of its interrupt, or say how it ended.

    `interrupted`, when nobody asked for that, means that the agent had to stop it: a task is tried again.
    """

    command_id: UUID
    instance: Instance | None = Field(default=None, description="With a claim: the life of the process that claims.")
    status: Literal["running", "succeeded", "failed", "interrupted"]
    interrupt: Literal["delivered", "acknowledged"] | None = None
    exit_code: int | None = Field(default=None, ge=-(2**31), lt=2**32)
    error: Sentence = ""
    cpu_seconds: Seconds | None = None
    max_rss_bytes: Bytes | None = None

    @model_validator(mode="after")
    def _interrupts_what_runs(self) -> Self:
        if self.interrupt and self.status != "running":
            raise ValueError("interrupt goes with the status running")
        return self


class PrintOutput(CommandFrame, type="terminal:output", topic=TerminalTopic, role=Role.AGENT, grouped=True):
    """Pass on what a command printed. What comes after its end is kept for the terminal only."""

    command_id: UUID
    offset: int = Field(ge=0, lt=2**53)
    text: str = Field(min_length=1, max_length=MAX_TEXT)


# Command frames of people -----------------------------------------------------------------------------


class RequestCommand(CommandFrame, type="command:request", topic=AgentTopic, role=Role.OPERATOR, rate="10/s"):
    """Give this agent a command. It waits in the inbox while the agent is away."""

    kind: Kind = "shell"
    spec: Spec


class InterruptCommand(CommandFrame, type="command:interrupt", topic=AgentTopic, role=Role.OPERATOR, rate="10/s"):
    """Stop a command of this agent, running or not."""

    command_id: UUID
