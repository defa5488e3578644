"""Group commit: high-rate frames share a transaction with what arrived within the same few milliseconds.

The first frame after a quiet moment is committed at once; while a commit runs, the next group gathers. So an idle
process adds no latency and a busy one commits hundreds of frames at a time.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, Error, InterfaceError, OperationalError, transaction

from apps.accounts.refusals import Refusal, Unavailable
from apps.events import log, store
from apps.events.models import StoredEvent
from apps.events.threads import in_writer

logger = logging.getLogger(__name__)

GROUP = 1_000
GATHER_SECONDS = 0.002
TRIES = 2
COULD_NOT = "This frame could not be carried out; the server's log says why."


@dataclass(slots=True)
class Job:
    """One frame: the ref under which it is known, what it becomes, and whoever waits for its event."""

    ref: store.Ref
    drafts: Callable[[], Sequence[log.Draft]]
    done: "asyncio.Future[StoredEvent | None]" = field(init=False)


Outcome = StoredEvent | Exception


class GroupWriter:
    """One per process. `submit` returns when the frame is on disk."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Job] = []
        self._running: asyncio.Task[None] | None = None

    @property
    def is_usable(self) -> bool:
        return not self._loop.is_closed()

    def submit(self, job: Job) -> "asyncio.Future[StoredEvent | None]":
        """Commit this frame with its neighbours. The future may hold a Refusal."""
        job.done = self._loop.create_future()
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
                if self._waiting and len(self._waiting) < GROUP:
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            self._running = None


def _commit(group: Sequence[Job]) -> list[Outcome]:
    """One transaction for the group. A frame that is refused or cannot be stored does not hurt its neighbours."""
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                return _append(group)
        except (OperationalError, InterfaceError) as problem:
            logger.warning("A group of %d frames is tried again: %s", len(group), problem)
            refusal = Unavailable("The database is busy; send it again.", retry_after=1.0)
        except Error as problem:
            # Most likely a ref that another process stored in this moment: the next look finds it.
            logger.warning("A group of %d frames is tried again: %s", len(group), problem)
            refusal = None
        except Exception:
            logger.exception("A group of %d frames could not be stored", len(group))
            refusal = None
            break
    if refusal is None and len(group) > 1:
        return [_commit([job])[0] for job in group]
    return [refusal or Unavailable(COULD_NOT)] * len(group)


def _append(group: Sequence[Job]) -> list[Outcome]:
    happened: dict[store.Ref, StoredEvent | None] = dict(store.known([job.ref for job in group]))
    outcomes: dict[store.Ref, Outcome] = {}
    drafts: list[log.Draft] = []
    answers: list[tuple[store.Ref, int]] = []
    for job in group:
        if job.ref in happened:
            continue
        try:
            said = job.drafts()
        except Refusal as refusal:
            outcomes[job.ref] = refusal
            continue
        except DatabaseError:
            raise
        except Exception:
            logger.exception("A grouped frame of %s failed", job.ref[1])
            outcomes[job.ref] = Unavailable(COULD_NOT)
            continue
        happened[job.ref] = None
        if said:
            answers.append((job.ref, len(drafts)))
            drafts.extend(said)
    if drafts:
        stored = log.append_all(drafts)
        for ref, index in answers:
            happened[ref] = stored[index]
    return [outcomes.get(job.ref) or happened[job.ref] or _nothing(job) for job in group]


def _nothing(job: Job) -> Outcome:
    return Unavailable(f"The frame {job.ref[2]} became no event.")
