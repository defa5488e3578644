"""What can be said to everybody who is logged in, and to one person."""

from typing import Annotated, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from apps.accounts.actors import Actor
from apps.accounts.roles import Role
from apps.events.declare import CommandFrame, Event, Retention, Topic, without_nul
from apps.notices import selectors
from apps.notices.models import LINK_LENGTH, MESSAGE_LENGTH, Level, Notice


def _sayable(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _followable(link: str) -> str:
    """Browsers read a backslash as a slash and leave out line breaks, so `/\\example.org` would lead elsewhere."""
    if any(not sign.isprintable() or sign in " \\" for sign in link):
        raise ValueError("must not contain spaces, backslashes or control characters")
    is_page = link.startswith("/") and not link.startswith("//")
    address = urlsplit(link)
    if not is_page and not (address.scheme in ("http", "https") and address.hostname):
        raise ValueError("must be a page of this server, like /tasks/, or begin with http:// or https://")
    return link


Message = Annotated[str, Field(max_length=MESSAGE_LENGTH), AfterValidator(without_nul), AfterValidator(_sayable)]
Link = Annotated[str, Field(max_length=LINK_LENGTH), AfterValidator(_followable)]


class SystemTopic(Topic, pattern="system", retention=Retention(days=90)):
    """What concerns everybody who is logged in."""

    def role_of(self, actor: Actor) -> Role | None:
        return selectors.role_on_system(actor)


class UserTopic(Topic, pattern="user.{user_id}", retention=Retention(days=90)):
    """What concerns one person, who alone reads it."""

    user_id: int = Field(gt=0, lt=2**63)

    def role_of(self, actor: Actor) -> Role | None:
        return selectors.role_towards(actor, self.user_id)

    def can_read(self, actor: Actor) -> bool:
        return selectors.is_this_person(actor, self.user_id)


class _Told(BaseModel):
    """A notice as its readers get it."""

    notice_id: UUID
    message: str
    level: Level
    link: str | None = Field(description="Where it leads: a page of this server, or an http(s) address.")

    @classmethod
    def of(cls, notice: Notice) -> Self:
        return cls(notice_id=notice.pk, message=notice.message, level=Level(notice.level), link=notice.link or None)


class SystemAnnounced(_Told, Event, type="system", topic=SystemTopic):
    """Staff, or the server, told everybody something."""


class PersonNotified(_Told, Event, type="notification", topic=UserTopic):
    """Staff, or the server, told this person something."""


class _Words(BaseModel):
    """What is to be told."""

    message: Message
    level: Level = Level.INFO
    link: Link | None = None


class Broadcast(_Words, CommandFrame, type="notice:broadcast", topic=SystemTopic, role=Role.OWNER, rate="5/s"):
    """Tell everybody who is logged in; for staff."""


class Notify(_Words, CommandFrame, type="notice:send", topic=UserTopic, role=Role.OWNER, rate="20/s"):
    """Tell one person; for staff."""
