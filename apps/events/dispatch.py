"""The way in: every frame, from whichever door, is checked and carried out here.

    parse → validate → authorise → the feature's service → events

An ordinary frame has a transaction of its own. A `grouped` one shares it with the frames that arrived beside it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import uniform
from typing import Any, TypeVar

from django.db import IntegrityError, OperationalError, transaction

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.refusals import BadFrame, Conflict, Forbidden, Invalid, NotFound, Refusal, Unavailable
from apps.accounts.roles import Role, permits
from apps.events import declare, log, store
from apps.events.declare import CommandFrame, Event, Topic
from apps.events.models import ID_LENGTH, StoredEvent
from apps.events.threads import in_writer, write_and_wait
from apps.events.writer import GroupWriter, Job

logger = logging.getLogger(__name__)

Handler = Callable[[Actor, Any, Any], Any]
H = TypeVar("H", bound=Handler)
Goodbye = Callable[[Actor], None]
G = TypeVar("G", bound=Goodbye)

TRIES = 3
ROLE_SECONDS = (2.5, 5.0)
"""How long a role is believed: between these, or a hundred agents that came together would be looked up together."""

_handlers: dict[type[CommandFrame], Handler] = {}
_repeat_checks: dict[type[CommandFrame], Handler] = {}
_goodbyes: list[Goodbye] = []
_roles: dict[tuple[str, str], tuple[float, Role | None]] = {}
"""Until when each is believed, on the monotonic clock, and the role."""


def handles(frame_class: type[CommandFrame]) -> Callable[[H], H]:
    """Declare the service that carries out a command frame: `(actor, topic, frame) -> StoredEvent | None`.

    For a grouped frame: `(actor, topic, frame) -> list[(topic, event)]`, which writes nothing itself. It may be asked
    again about a frame that has happened already.
    """

    def register(handler: H) -> H:
        if frame_class in _handlers and _handlers[frame_class].__qualname__ != handler.__qualname__:
            raise declare.DeclarationError(f"{frame_class.__name__} has two handlers")
        _handlers[frame_class] = handler
        return handler

    return register


def on_repeat(frame_class: type[CommandFrame]) -> Callable[[H], H]:
    """Declare what is asked before a frame that happened is answered again: `(actor, topic, frame) -> None`.

    It refuses when the first answer no longer holds. A grouped frame's answer always does.
    """

    def register(check: H) -> H:
        _repeat_checks[frame_class] = check
        return check

    return register


def on_disconnect(goodbye: G) -> G:
    """Declare what a feature does when a socket has ended: `(actor) -> None`, in a transaction."""
    _goodbyes.append(goodbye)
    return goodbye


@dataclass(frozen=True, slots=True)
class Call:
    """One validated frame and who sent it."""

    actor: Actor
    id: str
    topic: Topic | None
    frame: CommandFrame

    @property
    def handler(self) -> Handler:
        return _handlers[type(self.frame)]

    @property
    def ref(self) -> store.Ref:
        return (str(self.topic), self.actor.sender, self.name)

    def check_repeats(self, before: StoredEvent) -> None:
        """Raises Conflict if `before`, which bears this frame's name, came of a frame about something else."""
        happened = before.payload
        for field in type(self.frame).model_fields:
            if field.endswith("_id") and field in happened and str(getattr(self.frame, field)) != str(happened[field]):
                raise Conflict(f"You have used the id {self.id} for another {self.frame.TYPE} on this topic.")

    @property
    def name(self) -> str:
        """What it is known by among its sender's frames on its topic: two types may share an id."""
        return f"{self.frame.TYPE} {self.id}"


def perform(call: Call) -> "asyncio.Future[StoredEvent | None]":
    """Carry out one frame; the future holds the event it became, or a Refusal.

    Frames of one sender are carried out in order when the sender's next ordinary frame waits for this future;
    grouped ones keep their order by themselves.
    """
    if call.frame.GROUPED:
        return _writer().submit(Job(call.ref, lambda: _drafts(call), call.check_repeats))
    return asyncio.ensure_future(in_writer(_carry_out, call))


def perform_sync(actor: Actor, inbound: object) -> dict[str, Any]:
    """The same for code that is not async: a Django view, a management command."""
    return perform_call_sync(understand(actor, inbound))


def perform_call_sync(call: Call) -> dict[str, Any]:
    """The same for a frame that was understood already."""
    return ack(write_and_wait(_carry_out, call))


def say_goodbye(actor: Actor) -> None:
    """Tell the features that `actor.connection` has ended."""
    for goodbye in _goodbyes:
        try:
            with transaction.atomic():
                goodbye(actor)
        except Exception:
            logger.exception("%s failed for %s", goodbye.__qualname__, actor.connection)


def understand(actor: Actor, inbound: object) -> Call:
    """The frame as its declaration says. Raises BadFrame, Invalid or NotFound."""
    if not isinstance(inbound, dict):
        raise BadFrame("A frame is a JSON object with `type`, `id` and `data`.")
    type, id, name = inbound.get("type"), inbound.get("id"), inbound.get("topic")
    frame_class = declare.frames.get(type) if isinstance(type, str) else None
    if frame_class is None or frame_class not in _handlers:
        raise BadFrame(f"There is no frame of type {str(type)[:64]!r}.")
    if isinstance(id, int) and not isinstance(id, bool):
        id = str(id)
    if not isinstance(id, str) or not 0 < len(id) <= ID_LENGTH or not id.isprintable():
        raise BadFrame(f"`id` is your own name for this frame: a string of 1 to {ID_LENGTH} printable characters.")
    topic = None
    if frame_class.TOPIC is not None:
        if name is None:
            raise BadFrame(f"{type} needs a `topic` like {frame_class.TOPIC.pattern}.")
        topic = Topic.parse(name)
        if not isinstance(topic, frame_class.TOPIC):
            raise Invalid(f"{type} belongs on a topic like {frame_class.TOPIC.pattern}, not on {name}.")
    return Call(actor, id, topic, frame_class.of(inbound.get("data")))


def ack(stored: StoredEvent | None, *, brief: bool = False) -> dict[str, Any]:
    """What the sender of a frame is told: the event it became. `brief` leaves out what the sender knows best."""
    if stored is None:
        return {}
    told: dict[str, Any] = {"topic": stored.topic, "seq": stored.seq}
    return told if brief else told | {"data": stored.payload}


def forget_roles() -> None:
    """Somebody's rights changed: ask again."""
    _roles.clear()


def _carry_out(call: Call) -> StoredEvent | None:
    """One transaction for one frame, tried again when the database asks for that."""
    for tries_left in reversed(range(TRIES)):
        try:
            return _once(call)
        except IntegrityError:
            # The same frame at the same moment on another connection: the next look finds its event.
            if not tries_left:
                raise
        except OperationalError as problem:
            logger.warning("%s is tried again: %s", call.frame.TYPE, problem)
            if not tries_left:
                raise Unavailable("The database is busy; send it again.", retry_after=1.0) from problem
            time.sleep(0.05)
    raise AssertionError("unreachable")


def _once(call: Call) -> StoredEvent | None:
    topic = None if call.topic is None else str(call.topic)
    try:
        with transaction.atomic(), log.said_by(call.actor.sender, call.name, topic):
            if call.topic is not None:
                _authorise(call, call.topic.role_of(call.actor))
                if before := store.known([call.ref]):
                    call.check_repeats(before[call.ref])
                    if check := _repeat_checks.get(type(call.frame)):
                        check(call.actor, call.topic, call.frame)
                    return before[call.ref]
            if call.frame.GROUPED:
                if not (drafts := _drafts(call)):
                    raise Unavailable(f"The frame {call.id} became no event.")
                return log.append_all(drafts)[0]
            stored: StoredEvent | None = call.handler(call.actor, call.topic, call.frame)
            if call.frame.AUDIT:
                audit.record(call.actor, call.frame.TYPE, topic or "", id=call.id)
            return stored
    except Refusal as refusal:
        if call.frame.AUDIT and not refusal.recorded:
            refusal.recorded = True
            audit.record(call.actor, f"refused {call.frame.TYPE}", topic or "", id=call.id, code=refusal.code)
        raise


def _authorise(call: Call, have: Role | None) -> None:
    """The same answer for a stranger as for a topic that does not exist."""
    if have is None:
        raise NotFound(f"There is no topic {call.topic}.")
    if not permits(have, call.frame.ROLE):
        raise Forbidden(f"{call.frame.TYPE} needs the role {call.frame.ROLE.name.lower()} here.")


def _drafts(call: Call) -> Sequence[log.Draft]:
    """What a grouped frame becomes. Its sender's role is asked for once in a few seconds, not for each frame."""
    if call.topic is not None:
        _authorise(call, _recent_role(call.actor, call.topic))
    said: list[tuple[Topic, Event]] = call.handler(call.actor, call.topic, call.frame)
    drafts = [log.Draft(topic, event, call.actor.sender) for topic, event in said]
    for draft in drafts:
        if draft.topic == call.topic:
            draft.ref = call.name
            break
    return drafts


def _recent_role(actor: Actor, topic: Topic) -> Role | None:
    key = (actor.sender, str(topic))
    believed_until, role = _roles.get(key, (0.0, None))
    if time.monotonic() >= believed_until:
        role = topic.role_of(actor)
        if len(_roles) > 10_000:
            _roles.clear()
        _roles[key] = (time.monotonic() + uniform(*ROLE_SECONDS), role)
    return role


_group_writer: GroupWriter | None = None


def _writer() -> GroupWriter:
    """This process's one group writer, made on its event loop."""
    global _group_writer
    if _group_writer is None or not _group_writer.is_usable:
        _group_writer = GroupWriter()
    return _group_writer
