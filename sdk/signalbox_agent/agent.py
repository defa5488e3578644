"""The agent: takes commands from its inbox, as many at a time as it has slots, and says that it is alive."""

import asyncio
import logging
import platform
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import uniform
from typing import Any
from uuid import uuid4

from signalbox_agent.client import AgentClient
from signalbox_agent.frames import Disconnected, Refused, Stopped
from signalbox_agent.job import KINDS, Job
from signalbox_agent.metrics import Metrics
from signalbox_agent.policy import Policy
from signalbox_agent.runner import GRACE_SECONDS

logger = logging.getLogger("signalbox_agent")

SUCCESS, REFUSED, GAVE_UP = 0, 4, 5
END_SECONDS = 2 * GRACE_SECONDS + 3
REPORT_SECONDS = 3.0
FINISHED = 1_000
"""How many commands are remembered after their end, in case a request is replayed."""
EARLY = (0.75, 1.0)
"""When in its time a heartbeat comes: agents that came back together should not all report in the same moment."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Who this agent is and what it may do; `give_up_after` in seconds without a server, None: never."""

    url: str
    key: str
    name: str
    policy: Policy = field(default_factory=Policy)
    slots: int = 1
    labels: Sequence[str] = ()
    give_up_after: float | None = None


class Agent:
    """One agent process. `run` returns its exit code."""

    def __init__(self, settings: Settings, version: str = "") -> None:
        self._settings, self._version = settings, version
        self._instance = uuid4().hex
        self._waiting: dict[str, dict[str, Any]] = {}
        self._jobs: dict[str, Job] = {}
        self._finished: deque[str] = deque(maxlen=FINISHED)
        self._tasks: set[asyncio.Task[None]] = set()
        self._metrics = Metrics()
        self._leaving = asyncio.Event()
        self._exit_code = SUCCESS
        self.client = AgentClient(
            settings.url,
            settings.key,
            introduce=self._introduction,
            on_event=self._take_event,
            on_connected=self._take_welcome,
        )

    async def run(self) -> int:
        """Work until `leave` is called, the server refuses us, or it was gone for too long."""
        connection = asyncio.create_task(self.client.run())
        helpers = [asyncio.create_task(self._heartbeat())]
        if (limit := self._settings.give_up_after) is not None:
            helpers.append(asyncio.create_task(self._give_up(limit)))
        leaving = asyncio.create_task(self._leaving.wait())
        await asyncio.wait([connection, *helpers, leaving], return_when=asyncio.FIRST_COMPLETED)
        for task in (connection, *helpers):
            if task.done() and not self._leaving.is_set():
                self._note_the_end(task)
        for helper in (*helpers, leaving):
            helper.cancel()
        await self._wind_up()
        await self.client.stop()
        await asyncio.wait([connection], timeout=3)
        connection.cancel()
        return self._exit_code

    def leave(self, exit_code: int = SUCCESS) -> None:
        """Interrupt what runs, tell the server, and end. The second call does not wait for anybody."""
        if self._leaving.is_set():
            for job in self._jobs.values():
                job.kill()
        else:
            self._exit_code = exit_code
            self._leaving.set()

    # What the server says -------------------------------------------------------------------------------

    def _take_event(self, type: str, data: dict[str, Any]) -> None:
        command_id = str(data.get("command_id"))
        if type == "command:request" and command_id not in self._finished:
            self._waiting[command_id] = data
            self._start_what_fits()
        elif type == "command:interrupt":
            self._waiting.pop(command_id, None)
            if job := self._jobs.get(command_id):
                job.interrupt_for_operator()
        elif type == "command:state" and (status := data.get("status")) not in ("sent", "running"):
            # It is over before it began here, or although it runs here; or anybody may have it, as its claim will tell.
            self._waiting.pop(command_id, None)
            if status != "queued":
                self._drop([command_id])

    def _take_welcome(self, welcome: dict[str, Any]) -> None:
        self._drop(welcome.get("stop"))

    def _drop(self, command_ids: Any) -> None:
        """The server gave up on these: they are not ours any more."""
        for command_id in command_ids or ():
            if job := self._jobs.get(str(command_id)):
                job.interrupt("The server had given this command up.")

    def _start_what_fits(self) -> None:
        # One that comes again while its job lives waits for what becomes of that: a refused claim may be tried again.
        for command_id in [id for id in self._waiting if id not in self._jobs]:
            if len(self._jobs) >= self._settings.slots or self._leaving.is_set():
                return
            job = self._jobs[command_id] = Job(
                self._waiting.pop(command_id), self.client, self._settings.policy, self._instance
            )
            task = asyncio.create_task(self._work(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self, job: Job) -> None:
        try:
            await job.run()
        except Exception:
            logger.exception("Command %s", job.command_id)
        finally:
            del self._jobs[job.command_id]
            if job.was_claimed:
                self._finished.append(job.command_id)
                self._waiting.pop(job.command_id, None)
            self._start_what_fits()

    # What we say --------------------------------------------------------------------------------------

    def _introduction(self) -> dict[str, Any]:
        return {
            "name": self._settings.name,
            "instance": self._instance,
            "accepts": list(KINDS),
            "labels": list(self._settings.labels),
            "slots": self._settings.slots,
            "version": self._version,
            "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            **self._commands(),
        }

    def _commands(self) -> dict[str, list[str]]:
        """What we have claimed, and what of it is over except for its output and its report."""
        return {"running": list(self._jobs), "ended": [id for id, job in self._jobs.items() if job.has_ended.is_set()]}

    async def _heartbeat(self) -> None:
        while True:
            await self.client.connected.wait()
            seconds = float(self.client.welcome.get("heartbeat_seconds") or 5)
            with suppress(Disconnected, TimeoutError):
                await self._tell_status(within=2 * seconds)
            await asyncio.sleep(seconds * uniform(*EARLY))

    async def _tell_status(self, *, within: float, is_leaving: bool = False) -> None:
        status: dict[str, Any] = {
            "instance": self._instance,
            "metrics": self._metrics.look(),
            **self._commands(),
        }
        if is_leaving:
            status["leaving"] = True
        try:
            async with asyncio.timeout(within):
                await self.client.request("agent:status", status, topic=self.client.topic)
        except Refused as refused:
            if refused.code == "not_found" and not is_leaving:
                logger.warning("The server knows no %s any more; introducing ourselves again", self._settings.name)
                self.client.reconnect()
            elif refused.code != "conflict":
                logger.warning("The heartbeat was refused: %s", refused)
            elif not is_leaving:
                logger.error("Another process works under the name %s now: %s", self._settings.name, refused)
                self.leave(REFUSED)

    async def _give_up(self, limit: float) -> None:
        """End when the server was gone for as long as the operator allows."""
        while True:
            await asyncio.sleep(min(1.0, limit / 4))
            since = self.client.gone_since
            if since is not None and time.monotonic() - since > limit:
                logger.error("The server was gone for %g s; giving up", limit)
                self.leave(GAVE_UP)
                return

    # The end ------------------------------------------------------------------------------------------

    def _note_the_end(self, task: "asyncio.Task[None]") -> None:
        self._leaving.set()
        self._exit_code = REFUSED
        problem = task.exception()
        if isinstance(problem, Stopped):
            logger.error("%s Stopping.", problem)
        else:
            logger.error("The connection or the heartbeat failed", exc_info=problem)

    async def _wind_up(self) -> None:
        """Interrupt what runs, report it if somebody listens, and say goodbye."""
        logger.info("Leaving")
        self._waiting.clear()
        if jobs := list(self._jobs.values()):
            logger.info("Interrupting %d running command(s)", len(jobs))
            for job in jobs:
                job.interrupt("The agent was stopped.")
            await asyncio.wait([asyncio.create_task(job.has_ended.wait()) for job in jobs], timeout=END_SECONDS)
        if self.client.connected.is_set():
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=REPORT_SECONDS)
            with suppress(Disconnected, TimeoutError):
                await self._tell_status(within=2.0, is_leaving=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
