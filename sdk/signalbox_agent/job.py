"""One command on this agent: claim it, run it, stream what it prints, report how it ended."""

import asyncio
import logging
from typing import Any

from signalbox_agent.client import AgentClient
from signalbox_agent.frames import Frame, Refused
from signalbox_agent.policy import NotAllowed, Policy
from signalbox_agent.printer import Printer
from signalbox_agent.runner import Outcome, Runner
from signalbox_agent.spec import Spec

logger = logging.getLogger("signalbox_agent")

KINDS = ("shell",)
ERROR_LENGTH = 4000
"""More of it the server does not take."""


class Job:
    """A command from its claim to the acknowledged report of its end."""

    def __init__(self, request: dict[str, Any], client: AgentClient, policy: Policy, instance: str) -> None:
        self.command_id = str(request["command_id"])
        self._request, self._client, self._policy, self._instance = request, client, policy, instance
        self._topic, self._terminal = client.topic, client.terminal
        self._runner: Runner | None = None
        self._interrupted: str | None = None
        self._confirming: asyncio.Task[None] | None = None
        self.was_claimed = False
        self.has_ended = asyncio.Event()

    async def run(self) -> None:
        """Never raises; what goes wrong is the command's outcome."""
        try:
            self.was_claimed = await self._claim()
            if not self.was_claimed:
                return
            outcome = await self._outcome_whatever_happens()
            logger.info("Command %s: %s %s", self.command_id, outcome.status, outcome.error)
            self.has_ended.set()
            await self._report(outcome)
        finally:
            self.has_ended.set()

    def interrupt(self, why: str = "") -> None:
        """Stop it as soon as it can be stopped."""
        if self._interrupted is None:
            self._interrupted = why
            if self._runner:
                self._runner.interrupt()
            else:
                self.has_ended.set()  # It waits for its claim, and starts no more.

    def interrupt_for_operator(self) -> None:
        """The same on the server's request, which is told that it arrived and that the signal was sent."""
        self.interrupt()
        if self._confirming is None:
            self._confirming = asyncio.create_task(self._confirm_interrupt())

    def kill(self) -> None:
        if self._runner:
            self._runner.kill()

    # The story --------------------------------------------------------------------------------------

    async def _claim(self) -> bool:
        """Whether the server gives it to us. It does so once, so the command starts at most once."""
        try:
            await self._say("running", id="running", instance=self._instance)
        except Refused as refused:
            logger.info("Command %s is not for us any more: %s", self.command_id, refused)
            return False
        return True

    async def _outcome_whatever_happens(self) -> Outcome:
        """What was claimed must end, or it would run for ever in the eyes of the server."""
        try:
            return await self._outcome()
        except Exception as problem:
            logger.exception("Command %s could not be carried out", self.command_id)
            return Outcome("failed", error=f"This agent could not carry it out: {problem}")

    async def _outcome(self) -> Outcome:
        if self._interrupted is not None:
            return Outcome("interrupted", error=self._interrupted or "Interrupted before it started.")
        try:
            if (kind := self._request.get("kind", "shell")) not in KINDS:
                raise NotAllowed(f"This agent does not accept commands of kind {kind!r}.")
            spec = Spec.of(self._request.get("spec"))
            argv, directory = self._policy.argv_of(spec), self._policy.directory_of(spec)
        except (ValueError, NotAllowed) as problem:
            return Outcome("failed", error=str(problem))
        return await self._execute(spec, argv, directory)

    async def _execute(self, spec: Spec, argv: tuple[str, ...], directory: Any) -> Outcome:
        # A byte takes six in JSON when it is a control character.
        printer = Printer(self._print, largest=lambda: max(64, (self._client.frame_bytes - 1024) // 6))
        self._runner = runner = Runner(
            argv,
            cwd=directory,
            env=spec.env,
            timeout=spec.timeout,
            cols=spec.cols,
            rows=spec.rows,
            on_output=printer.feed,
        )
        printer.on_full = runner.pause
        printing = asyncio.create_task(printer.run())
        try:
            logger.info("Command %s: %s", self.command_id, " ".join(argv)[:200])
            outcome = await runner.run()
            self.has_ended.set()
            printer.close()
            await printing
        finally:
            printing.cancel()
        return outcome

    async def _print(self, number: int, offset: int, text: str) -> None:
        try:
            await self._client.deliver(
                "terminal:output",
                {"command_id": self.command_id, "offset": offset, "text": text},
                topic=self._terminal,
                id=f"{self.command_id}:{number}",
            )
        except Refused as refused:
            logger.warning("Output of command %s was refused: %s", self.command_id, refused)

    async def _report(self, outcome: Outcome) -> None:
        if self._confirming:
            await self._confirming
        why = self._interrupted if outcome.status == "interrupted" else ""
        try:
            await self._say(
                outcome.status,
                id="end",
                exit_code=outcome.exit_code,
                error=_sentence(why or outcome.error),
                cpu_seconds=outcome.cpu_seconds,
                max_rss_bytes=outcome.max_rss_bytes,
            )
        except Refused as refused:
            logger.info("The end of command %s was refused: %s", self.command_id, refused)

    async def _confirm_interrupt(self) -> None:
        """Post both steps; a refusal only means that the command had ended before."""
        for step in ("delivered", "acknowledged"):
            await self._post("running", id=step, interrupt=step)

    async def _say(self, status: str, *, id: str, **more: Any) -> None:
        """Post and wait for the ack. Raises Refused."""
        await (await self._post(status, id=id, **more))

    async def _post(self, status: str, *, id: str, **more: Any) -> "asyncio.Future[Frame]":
        data = {"command_id": self.command_id, "status": status}
        data |= {name: value for name, value in more.items() if value is not None}
        return await self._client.post("command:state", data, topic=self._topic, id=f"{self.command_id}:{id}")


def _sentence(text: str) -> str:
    """As the server takes it: not too long, and without what is no Unicode, as a file's name may have it."""
    return text[:ERROR_LENGTH].encode(errors="replace").decode()
