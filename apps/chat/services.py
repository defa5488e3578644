"""What happens in chat: a session is opened, people come and go, somebody says something."""

from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import Team, User
from apps.accounts.refusals import Forbidden, NotFound
from apps.accounts.revocations import revoked
from apps.accounts.roles import Role, permits
from apps.accounts.selectors import role_in_team
from apps.chat import selectors
from apps.chat.contract import (
    AddMember,
    ChatTopic,
    MemberAdded,
    MemberRemoved,
    MessagePosted,
    Person,
    PostMessage,
    RemoveMember,
    SetTyping,
    TypingNoticed,
)
from apps.chat.models import ChatSession, Message, SessionMember
from apps.events import log
from apps.events.dispatch import handles
from apps.events.models import StoredEvent


@transaction.atomic
def open_session(actor: Actor, *, team: Team, title: str) -> ChatSession:
    """A new session of `team`, with the actor as its first member."""
    if not permits(role_in_team(actor, team.pk), Role.OPERATOR):
        raise Forbidden("To open a chat session one must be an operator of the team.")
    session = ChatSession.objects.create(team=team, title=title, created_by=actor.user)
    if actor.user is not None:
        SessionMember.objects.create(session=session, user=actor.user)
    audit.record(actor, "chat.opened", f"chat.{session.pk}", title=title)
    return session


@handles(PostMessage)
def post_message(actor: Actor, topic: ChatTopic, frame: PostMessage) -> StoredEvent:
    """Tell the session what a person said, and keep it in that place."""
    if actor.user is None:
        raise Forbidden("Only people talk here.")
    message = Message(session_id=topic.session_id, author=actor.user, author_name=actor.name, content=frame.content)
    stored = log.append(topic, MessagePosted.of(message))
    message.seq = stored.seq
    message.save(force_insert=True)
    return stored


@handles(SetTyping)
def set_typing(actor: Actor, topic: ChatTopic, frame: SetTyping) -> None:
    """Tell whoever looks."""
    if actor.user is not None:
        log.whisper(topic, TypingNoticed(who=Person.of(actor.user), active=frame.active))


@handles(AddMember)
def add_member(actor: Actor, topic: ChatTopic, frame: AddMember) -> StoredEvent | None:
    """Take somebody in; who is in already stays, and nothing is said."""
    session = ChatSession.objects.get(pk=topic.session_id)
    user = selectors.people_to_add(session).filter(pk=frame.user_id).first()
    if user is None:
        if session.memberships.filter(user_id=frame.user_id).exists():
            return None
        raise NotFound("There is no such person in the team.")
    SessionMember.objects.create(session=session, user=user)
    return log.append(topic, MemberAdded(member=Person.of(user), by=actor.name))


@handles(RemoveMember)
def remove_member(actor: Actor, topic: ChatTopic, frame: RemoveMember) -> StoredEvent:
    """Take somebody out; their page hears it as its last event."""
    user = User.objects.filter(pk=frame.user_id).first()
    if user is None or not SessionMember.objects.filter(session_id=topic.session_id, user=user).delete()[0]:
        raise NotFound("There is no such person in the session.")
    revoked(user_id=user.pk)
    return log.append(topic, MemberRemoved(member=Person.of(user), by=actor.name))
