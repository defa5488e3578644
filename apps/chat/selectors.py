"""Questions about chat sessions."""

from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.refusals import NotFound
from apps.accounts.roles import Role
from apps.accounts.selectors import role_in_team, teams_of
from apps.chat.models import ChatSession, Message


def role_in_session(actor: Actor, session_id: UUID) -> Role | None:
    """The role in the team, for members of the session; None: a stranger, or there is no such session."""
    session = ChatSession.objects.filter(pk=session_id).only("team_id").first()
    if session is None or not (actor.is_staff or actor.is_system or is_member(actor.user, session)):
        return None
    return role_in_team(actor, session.team_id)


def is_member(user: User | None, session: ChatSession) -> bool:
    return user is not None and session.memberships.filter(user=user).exists()


def sessions_of(actor: Actor) -> QuerySet[ChatSession]:
    """The sessions that `actor` may read, newest first."""
    sessions = ChatSession.objects.filter(team__in=teams_of(actor)).select_related("team")
    if actor.is_staff or actor.is_system:
        return sessions
    # An agent is a member of none. To ask for the user None would find the sessions that have no members.
    return sessions.none() if actor.user is None else sessions.filter(memberships__user=actor.user)


def session_for(actor: Actor, session_id: UUID) -> ChatSession:
    """One of them. Raises NotFound, for strangers as for nothing."""
    session = sessions_of(actor).filter(pk=session_id).first()
    if session is None:
        raise NotFound("There is no such chat session.")
    return session


def messages_of(session: ChatSession, *, newest: int | None = None) -> list[Message]:
    """What was said, oldest first; with `newest`, only the last so many."""
    messages = session.messages.order_by("-seq")[:newest]
    return list(reversed(messages))


def people_in(session: ChatSession) -> list[User]:
    """Its members, in the order they joined."""
    return [membership.user for membership in session.memberships.select_related("user")]


def people_to_add(session: ChatSession) -> QuerySet[User]:
    """Who is in the team and not in the session."""
    here = session.memberships.values("user")
    return (
        User.objects.filter(memberships__team=session.team_id, is_active=True).exclude(pk__in=here).order_by("username")
    )
