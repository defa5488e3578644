"""How a run goes on: a step changed, so what follows?

A `Course` holds one run under lock, decides, and tells what happened on the run's topic and the team's. It runs in the
transaction that stores the step's result, so there is no moment in which one is known without the other.
"""

from typing import Self
from uuid import UUID

from apps.agents.contract import TeamTopic
from apps.events import log, wire
from apps.events.declare import Event
from apps.events.models import StoredEvent
from apps.swarm import selectors
from apps.swarm.contract import (
    AgentStatusUpdated,
    PlannedStage,
    PlannedStep,
    ProjectCompleted,
    ProjectErred,
    ProjectProgressed,
    ProjectStarted,
    RunTopic,
    RunUpdated,
    WorkflowLogged,
    WorkflowStageUpdated,
)
from apps.swarm.models import Run, RunStatus, Stage, StageStatus, Step, StepStatus
from apps.tasks import life as tasks
from apps.tasks.contract import TaskUpdated
from apps.tasks.models import Status, Task

PURPOSE = "step"


class Course:
    """One run in the hands of one transaction."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.topic = RunTopic(run_id=run.pk)
        self._said: list[Event] = []
        self._said_to_team: list[Event] = []
        self._counted = False

    @classmethod
    def locked(cls, run_id: UUID | str) -> Self | None:
        """The run's course, which no other transaction can change until this one ends; None if it was deleted."""
        run = Run.objects.select_for_update(no_key=True).filter(pk=run_id).first()
        return cls(run) if run else None

    def begin(self) -> None:
        """Tell the plan and start its first stage."""
        self._said.append(_plan_of(self.run))
        self._start_stage(self.run.stages.order_by("index")[0])

    def step_changed(self, task: Task) -> None:
        """Take over what a task has become. The same news twice is no news."""
        step = Step.objects.select_related("stage").get(run=self.run, key=task.context["step"])
        if step.is_over or not self._take_over(step, task):
            return
        if step.is_over:
            self._go_on(step.stage)

    def try_ended(self, task: Task) -> None:
        """A try has failed or was lost, and another one follows: tell how this one ended."""
        step = Step.objects.select_related("stage").get(run=self.run, key=task.context["step"])
        if step.is_over:
            return
        lost = task.result.get("outcome") == StepStatus.LOST
        step.status = StepStatus.LOST if lost else StepStatus.FAILED
        step.exit_code, step.error, step.ended_at = task.exit_code, task.error, wire.now()
        self._say_of(step)
        self._log(step, _last_words(step) + "; it is tried again", level="error")

    def turn_down(self, code: str, message: str, step: str = "") -> None:
        """Let no further stage start. The first reason is the one that counts."""
        if self.run.is_going_down:
            return
        self.run.error_code, self.run.error, self.run.error_step = code, message, step
        self.run.save(update_fields=["error_code", "error", "error_step"])
        self._said.append(ProjectErred.model_validate({"code": code, "message": message, "step": step or None}))

    def cancel(self, by: str) -> None:
        """End what is open."""
        going = [step.task for step in self.run.steps.select_related("task") if step.task and not step.is_over]
        # What waits goes first: a slot that gets free must not start it.
        for task in sorted(going, key=lambda task: (task.agent_id is not None, task.status == Status.RUNNING)):
            self.step_changed(self._told(tasks.cancel(task, by=by)))

    def tell(self) -> StoredEvent | None:
        """Append what happened; the last event on the run's topic is returned, None if nothing happened."""
        stored = log.append(self.topic, *self._said) if self._said else None
        to_team = [*self._said_to_team, run_update(self.run)] if self._counted else self._said_to_team
        if to_team:
            log.append(TeamTopic(team_id=self.run.team_id), *to_team)
        self._said, self._said_to_team, self._counted = [], [], False
        return stored

    # What follows ---------------------------------------------------------------------------------

    def _start_stage(self, stage: Stage) -> None:
        self._set_stage(stage, StageStatus.RUNNING)
        for step in stage.steps.order_by("position"):
            step.stage = stage
            self._take_over(step, self._told(tasks.begin(tasks.write(_task_of(step, self.run)))))
        self._go_on(stage)

    def _go_on(self, stage: Stage) -> None:
        """Once all steps of a stage have ended: the next stage, or the end."""
        steps = list(stage.steps.all())
        if stage.status != StageStatus.RUNNING or not all(step.is_over for step in steps):
            return
        well = all(step.is_forgiven for step in steps)
        self._set_stage(stage, StageStatus.COMPLETED if well else StageStatus.FAILED)
        following = self.run.stages.filter(status=StageStatus.WAITING).order_by("index").first()
        if following is None or self.run.is_going_down:
            self._end()
        else:
            self._start_stage(following)

    def _end(self) -> None:
        for stage in self.run.stages.filter(status=StageStatus.WAITING).order_by("index"):
            self._set_stage(stage, StageStatus.SKIPPED)
            for step in stage.steps.order_by("position"):
                step.stage, step.status = stage, StepStatus.SKIPPED
                step.save(update_fields=["status"])
                self._say_of(step)
        ends = {"": RunStatus.COMPLETED, "cancelled": RunStatus.CANCELLED}
        self.run.status = ends.get(self.run.error_code, RunStatus.FAILED)
        self.run.ended_at = wire.now()
        self.run.save(update_fields=["status", "ended_at"])
        self._counted = True
        self._said.append(
            ProjectCompleted(
                status=self.run.status, seconds=self.run.seconds or 0.0, ended_at=wire.timestamp(self.run.ended_at)
            )
        )

    def _told(self, task: Task) -> Task:
        """A task that this course has changed by itself, so the team hears of it from here."""
        self._said_to_team.append(TaskUpdated.of(task))
        return task

    # What it changes, row and event together ------------------------------------------------------

    def _take_over(self, step: Step, task: Task) -> bool:
        """Bring the step to the task's state; whether that was a change."""
        before = selectors.state_of_step(step)
        step.task, step.status = task, _step_status(task)
        step.agent, step.agent_uuid = task.agent_name, task.agent_id
        step.attempt, step.exit_code, step.error = task.attempt, task.exit_code, task.error
        step.started_at, step.ended_at = task.started_at, task.ended_at
        if selectors.state_of_step(step) == before:
            return False
        step.save()
        if step.status == StepStatus.RUNNING and before["status"] != StepStatus.RUNNING:
            self._log(step, f"$ {step.command}", level="system")
        elif step.is_over:
            self._log(step, _last_words(step), level="system" if step.status == StepStatus.COMPLETED else "error")
        self._say_of(step)
        if step.is_over:
            self._count(step)
        return True

    def _count(self, step: Step) -> None:
        done, total = selectors.counts(self.run)
        self._counted = True
        self._said.append(ProjectProgressed(done=done, total=total, percent=selectors.percent(done, total)))
        if not step.is_forgiven:
            self.turn_down("step_failed", f'Step "{step.name}" {_ending(step)}.', step=step.key)

    def _set_stage(self, stage: Stage, status: StageStatus) -> None:
        stage.status = status
        stage.save(update_fields=["status"])
        self._said.append(
            WorkflowStageUpdated(run_id=self.run.pk, stage=stage.name, index=stage.index, status=status.value)
        )

    def _say_of(self, step: Step) -> None:
        state = selectors.state_of_step(step)
        fields = {name: state[name] for name in AgentStatusUpdated.model_fields if name in state}
        self._said.append(
            AgentStatusUpdated.model_validate(
                {**fields, "run_id": self.run.pk, "stage": step.stage.name, "step": step.key}
            )
        )

    def _log(self, step: Step, text: str, *, level: str) -> None:
        self._said.append(
            WorkflowLogged.model_validate(
                {
                    "stage": step.stage.name,
                    "step": step.key,
                    "task_id": step.task_id,
                    "agent": step.agent or None,
                    "level": level,
                    "text": f"{text}\n",
                    "offset": None,
                }
            )
        )


def run_update(run: Run) -> RunUpdated:
    """The run as the team's lists show it."""
    done, total = selectors.counts(run)
    return RunUpdated(
        run_id=run.pk,
        project_id=run.project_id,
        project=run.name,
        status=run.status,
        done=done,
        total=total,
        by=run.by,
        started_at=wire.timestamp(run.started_at),
        ended_at=wire.timestamp(run.ended_at) if run.ended_at else None,
    )


def _plan_of(run: Run) -> ProjectStarted:
    stages = [
        PlannedStage(
            name=stage.name,
            steps=[
                PlannedStep(
                    key=step.key,
                    name=step.name,
                    agent=step.agent or None,
                    label=step.label or None,
                    command=step.command,
                    allow_failure=step.allow_failure,
                )
                for step in stage.steps.order_by("position")
            ],
        )
        for stage in run.stages.order_by("index")
    ]
    return ProjectStarted(
        run_id=run.pk,
        project_id=run.project_id,
        team_id=run.team_id,
        name=run.name,
        stages=stages,
        by=run.by,
        started_at=wire.timestamp(run.started_at),
    )


def _task_of(step: Step, run: Run) -> Task:
    return Task(
        team_id=run.team_id,
        author_id=run.started_by_id,
        author_name=run.by,
        query=step.command,
        spec=step.spec,
        wanted_agent=step.agent,
        label=step.label,
        retries=step.retries,
        lost_retries=step.lost_retries,
        purpose=PURPOSE,
        context={"run_id": str(run.pk), "stage": step.stage.name, "step": step.key},
    )


def _step_status(task: Task) -> StepStatus:
    if task.status == Status.FAILED and task.result.get("outcome") == StepStatus.LOST:
        return StepStatus.LOST
    return StepStatus(task.status)


def _ending(step: Step) -> str:
    match step.status:
        case StepStatus.COMPLETED:
            return "completed"
        case StepStatus.CANCELLED:
            return "was cancelled"
        case StepStatus.LOST:
            return "lost its agent"
    if step.exit_code is None:
        return f"failed: {step.error}" if step.error else "failed"
    return f"failed with exit code {step.exit_code}"


def _last_words(step: Step) -> str:
    took = ""
    if step.started_at and step.ended_at:
        took = f" after {(step.ended_at - step.started_at).total_seconds():.1f} s"
    return f"{step.name} {_ending(step).rstrip('.')}{took}"
