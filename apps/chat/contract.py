"""What can be said in a chat session."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.chat import selectors
from apps.chat.models import Message
from apps.events.declare import CommandFrame, Event, Topic, Whisper, without_nul

MAX_BYTES = 16 * 1024


def _sayable(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"must have at most {MAX_BYTES} bytes")
    return text


class ChatTopic(Topic, pattern="chat.{session_id}"):
    """One conversation, in order."""

    session_id: UUID

    def role_of(self, actor: Actor) -> Role | None:
        return selectors.role_in_session(actor, self.session_id)


class Person(BaseModel):
    """Somebody, as others see them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: int
    name: str

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(id=user.pk, name=user.display_name)


class MessagePosted(Event, type="message", topic=ChatTopic):
    """Somebody said something."""

    message_id: UUID
    content: str
    author: Person

    @classmethod
    def of(cls, message: Message) -> Self:
        assert message.author is not None
        return cls(message_id=message.pk, content=message.content, author=Person.of(message.author))


class MemberAdded(Event, type="member_added", topic=ChatTopic):
    """A member of the team is in the session now."""

    member: Person
    by: str


class MemberRemoved(Event, type="member_removed", topic=ChatTopic):
    """Somebody is not in the session any more."""

    member: Person
    by: str


class TypingNoticed(Whisper, type="typing", topic=ChatTopic):
    """Somebody is writing, or has stopped."""

    who: Person
    active: bool


class PostMessage(CommandFrame, type="message", topic=ChatTopic, role=Role.OPERATOR, rate="10/s", audit=False):
    """Say something. The log is its own record, so the audit log does not repeat it."""

    content: Annotated[str, AfterValidator(without_nul), AfterValidator(_sayable)] = Field(
        description=f"Not blank, and {MAX_BYTES} bytes of UTF-8 at most."
    )


class SetTyping(CommandFrame, type="typing", topic=ChatTopic, role=Role.OPERATOR, rate="5/s", audit=False):
    """Let the others see that one is writing."""

    active: bool


class AddMember(CommandFrame, type="member:add", topic=ChatTopic, role=Role.OPERATOR, rate="5/s"):
    """Take a member of the team into the session."""

    user_id: int = Field(gt=0, lt=2**63)


class RemoveMember(CommandFrame, type="member:remove", topic=ChatTopic, role=Role.OPERATOR, rate="5/s"):
    """Take somebody out of the session; with one's own id, leave it."""

    user_id: int = Field(gt=0, lt=2**63)
