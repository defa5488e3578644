"""A feature that exists only in tests: topics `story.<key>` on which lines are written.

Its declarations are known only inside the fixture `story`, so that generated contracts never see them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apps.accounts.actors import Actor
from apps.accounts.models import AuditEntry
from apps.accounts.refusals import Conflict
from apps.accounts.roles import Role
from apps.events import declare, dispatch, log
from apps.events.declare import CommandFrame, Event, Topic, Whisper
from apps.events.dispatch import handles
from apps.events.models import Head, StoredEvent


@contextmanager
def _unknown_afterwards() -> Iterator[list[tuple[Any, dict[str, Any]]]]:
    """Take what is declared inside out of the registries again, and keep it."""
    registries: list[dict[Any, Any]] = [declare.topics, declare.events, declare.whispers, declare.frames]
    registries.append(dispatch._handlers)
    before = [dict(registry) for registry in registries]
    added: list[tuple[Any, dict[str, Any]]] = []
    try:
        yield added
    finally:
        for registry, known in zip(registries, before, strict=True):
            added.append((registry, {name: item for name, item in registry.items() if name not in known}))
            registry.clear()
            registry.update(known)


with _unknown_afterwards() as declared:

    class StoryTopic(Topic, pattern="story.{key}"):
        """Who is in `story.<role>_…`? Its name says: staff and the system own it, `secret` ones have no reader."""

        key: str

        def role_of(self, actor: Actor) -> Role | None:
            if self.key.startswith("secret"):
                return None
            return Role.AGENT if actor.is_agent else Role.VIEWER if self.key.startswith("quiet") else Role.OWNER

    class LineWritten(Event, type="story_line", topic=StoryTopic):
        """Somebody wrote a line."""

        text: str

    class TextPrinted(Event, type="story_print", topic=StoryTopic, stream="pen"):
        """A pen went on with its text, which is cut anywhere."""

        pen: str
        level: str = "info"
        text: str
        offset: int | None

    class TaleTopic(Topic, pattern="tale.{key}"):
        """Another kind of topic, everybody's."""

        key: str

        def role_of(self, actor: Actor) -> Role:
            return Role.OWNER

    class TaleTold(Event, type="tale_told", topic=TaleTopic):
        """It belongs on no story."""

    class PenMoved(Whisper, type="story_pen", topic=StoryTopic):
        """Somebody is about to write."""

        at: int

    class WriteLine(CommandFrame, type="story:write", topic=StoryTopic, role=Role.OPERATOR):
        """Write a line; the text says whether the story takes it."""

        text: str

    class PrintLine(CommandFrame, type="story:print", topic=StoryTopic, role=Role.OPERATOR, grouped=True):
        """The same at a high rate."""

        text: str

    class MovePen(CommandFrame, type="story:pen", topic=StoryTopic, role=Role.OPERATOR, rate="2/s"):
        """Never stored."""

        at: int

    carried_out: list[str] = []
    """The text of each frame whose handler ran, in order."""

    @handles(WriteLine)
    def write_line(actor: Actor, topic: StoryTopic, frame: WriteLine) -> StoredEvent:
        carried_out.append(frame.text)
        if frame.text == "refuse":
            raise Conflict("The story does not take this.")
        if frame.text == "crash":
            raise RuntimeError("the handler has a bug")
        return log.append(topic, LineWritten(text=frame.text))

    @handles(PrintLine)
    def print_line(actor: Actor, topic: StoryTopic, frame: PrintLine) -> list[tuple[Topic, Event]]:
        carried_out.append(frame.text)
        if frame.text == "refuse":
            raise Conflict("The story does not take this.")
        if frame.text == "crash":
            raise RuntimeError("the handler has a bug")
        if frame.text == "nothing":
            return []
        if frame.text == "foreign":
            return [(topic, TaleTold())]  # a bug that shows only when it is appended
        return [(topic, LineWritten(text=frame.text))]

    @handles(MovePen)
    def move_pen(actor: Actor, topic: StoryTopic, frame: MovePen) -> None:
        log.whisper(topic, PenMoved(at=frame.at))


@contextmanager
def told() -> Iterator[None]:
    """Know this feature for a while."""
    for registry, items in declared:
        registry.update(items)
    carried_out.clear()
    try:
        yield
    finally:
        for registry, items in declared:
            for name in items:
                registry.pop(name, None)


def forget_all() -> None:
    """Take every story out of the database."""
    Head.objects.filter(topic__startswith="story.").delete()
    StoredEvent.objects.filter(topic__startswith="story.").delete()
    AuditEntry.objects.filter(target__startswith="story.").delete()
