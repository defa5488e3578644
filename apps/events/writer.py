"""Group commit: high-rate frames share a transaction with what arrived within the same few milliseconds.

The first frame after a quiet moment is committed at once; while a commit runs, the next group gathers. So an idle
process adds no latency and a busy one commits hundreds of frames at a time.

Frames of one sender on one topic keep their order, also when the database is busy: what follows one that was refused
for now is refused too, until that one has come again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, Error, InterfaceError, OperationalError, transaction

from apps.accounts.refusals import Refusal, Unavailable
from apps.events import log, store
from apps.events.models import StoredEvent
from apps.events.threads import in_writer

logger = logging.getLogger(__name__)

GROUP = 1_000
GATHER_SECONDS = 0.002
TRIES = 3
AGAIN_SECONDS = 1.0
HELD_SECONDS = 10.0
"""How long a sender may leave out what it has to send again, before what follows is taken without it."""
MOST_HELD = 10_000
COULD_NOT = "This frame could not be carried out; the server's log says why."


@dataclass(slots=True)
class Job:
    """One frame: the ref under which it is known, what it becomes, and whoever waits for its event."""

    ref: store.Ref
    drafts: Callable[[], Sequence[log.Draft]]
    check_repeats: Callable[[StoredEvent], None]
    """Refuses if what bears its ref already came of another frame."""
    done: "asyncio.Future[StoredEvent | None]" = field(init=False)

    @property
    def line(self) -> tuple[str, str]:
        """Within which it keeps its place: its topic and sender."""
        return self.ref[:2]

    def refuse(self) -> None:
        if not self.done.done():
            self.done.set_exception(_busy())


@dataclass(slots=True)
class Held:
    """A line that waits for what was refused: the refs that have to come again, in this order."""

    refs: dict[store.Ref, None]
    until: float


Outcome = StoredEvent | Exception


class GroupWriter:
    """One per process. `submit` returns when the frame is on disk."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Job] = []
        self._held: dict[tuple[str, str], Held] = {}
        self._running: asyncio.Task[None] | None = None

    @property
    def is_usable(self) -> bool:
        return not self._loop.is_closed()

    def submit(self, job: Job) -> "asyncio.Future[StoredEvent | None]":
        """Commit this frame with its neighbours. The future may hold a Refusal."""
        job.done = self._loop.create_future()
        if self._held and not self._is_its_turn(job):
            job.refuse()
            return job.done
        self._waiting.append(job)
        if self._running is None:
            self._running = self._loop.create_task(self._commit_groups(), name="group-writer")
        return job.done

    async def _commit_groups(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
                outcomes = await in_writer(_commit, group)
                for job, outcome in zip(group, outcomes, strict=True):
                    if job.done.done():
                        continue  # Its sender has gone.
                    if isinstance(outcome, Exception):
                        job.done.set_exception(outcome)
                    else:
                        job.done.set_result(outcome)
                if refused := [job for job, outcome in zip(group, outcomes, strict=True) if _is_for_now(outcome)]:
                    self._hold(refused)
                if self._waiting and len(self._waiting) < GROUP:
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            self._running = None

    def _hold(self, refused: Sequence[Job]) -> None:
        """These frames have to come again before anything else of their senders; what waits has followed them."""
        lines = {job.line for job in refused}
        following = [job for job in self._waiting if job.line in lines]
        self._waiting = [job for job in self._waiting if job.line not in lines]
        for job in following:
            job.refuse()
        now = self._loop.time()
        self._held = {line: held for line, held in self._held.items() if held.until > now}
        missing: dict[tuple[str, str], dict[store.Ref, None]] = {line: {} for line in lines}
        for job in [*refused, *following]:
            missing[job.line][job.ref] = None
        for line, refs in missing.items():
            earlier = self._held.get(line)
            self._held[line] = Held(refs | (earlier.refs if earlier else {}), now + HELD_SECONDS)

    def _is_its_turn(self, job: Job) -> bool:
        """Whether no frame is missing before this one. If one is, this has to come again after it."""
        now = self._loop.time()
        held = self._held.get(job.line)
        if held is None or held.until <= now:
            self._held.pop(job.line, None)
            return True
        if job.ref != next(iter(held.refs)):
            if len(held.refs) < MOST_HELD:
                held.refs.setdefault(job.ref)
            return False
        del held.refs[job.ref]
        held.until = now + HELD_SECONDS
        if not held.refs:
            del self._held[job.line]
        return True


def _commit(group: Sequence[Job]) -> list[Outcome]:
    """One transaction for the group. A frame that is refused or cannot be stored does not hurt its neighbours.

    Hardly ever has one of them happened before, so that is not asked first: the log takes no ref twice.
    """
    refusal: Unavailable | None = None
    may_repeat = False
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                return _append(group, store.known([job.ref for job in group]) if may_repeat else {})
        except (OperationalError, InterfaceError) as problem:
            logger.warning("A group of %d frames is tried again: %s", len(group), problem)
            refusal = _busy()
        except Error as problem:
            if may_repeat:
                # Most likely a ref that another process stored in this moment: the next look finds it.
                logger.warning("A group of %d frames is tried again: %s", len(group), problem)
            may_repeat = True
            refusal = None
        except Exception:
            logger.exception("A group of %d frames could not be stored", len(group))
            refusal = None
            break
    if refusal is None and len(group) > 1:
        return _commit_one_by_one(group)
    return [refusal or Unavailable(COULD_NOT)] * len(group)


def _commit_one_by_one(group: Sequence[Job]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for job in group:
        # Nothing overtakes what was refused for now.
        outcomes += outcomes[-1:] if outcomes and _is_for_now(outcomes[-1]) else _commit([job])
    return outcomes


def _append(group: Sequence[Job], known: Mapping[store.Ref, StoredEvent]) -> list[Outcome]:
    """Store what the group's frames become, but for those that are known to have happened."""
    drafts: list[log.Draft] = []
    taken: dict[store.Ref, tuple[Job, int]] = {}
    """Each frame that is stored now, and where its event is among the drafts."""
    refused: dict[store.Ref, Outcome] = {}
    for job in group:
        if job.ref in known or job.ref in taken:
            continue
        try:
            said = job.drafts()
        except Refusal as refusal:
            refused[job.ref] = refusal
            continue
        except DatabaseError:
            raise
        except Exception:
            logger.exception("A grouped frame of %s failed", job.ref[1])
            refused[job.ref] = Unavailable(COULD_NOT)
            continue
        if said:
            taken[job.ref] = job, len(drafts)
            drafts.extend(said)
        else:
            refused[job.ref] = Unavailable(f"The frame {job.ref[2]} became no event.")
    stored = log.append_all(drafts) if drafts else []
    happened = {**known, **{ref: stored[place] for ref, (_, place) in taken.items()}}
    if unsure := [ref for ref in refused if ref not in happened]:
        happened |= store.known(unsure)  # What is refused now may have been taken before.
    outcomes: list[Outcome] = []
    for job in group:
        if (event := happened.get(job.ref)) is None:
            outcomes.append(refused[job.ref])
        elif job.ref in taken and taken[job.ref][0] is job:
            outcomes.append(event)
        else:
            outcomes.append(_repeat(job, event))
    return outcomes


def _repeat(job: Job, before: StoredEvent) -> Outcome:
    try:
        job.check_repeats(before)
    except Refusal as refusal:
        return refusal
    return before


def _busy() -> Unavailable:
    return Unavailable("The database is busy; send it again.", retry_after=AGAIN_SECONDS)


def _is_for_now(outcome: Outcome) -> bool:
    return isinstance(outcome, Unavailable) and outcome.retry_after is not None
