"""Questions about notices: who may send them, and who reads them."""

from django.db.models import Q, QuerySet

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.notices.models import Notice


def may_send(actor: Actor) -> bool:
    """Staff, and the server itself."""
    return actor.is_staff or actor.is_system


def role_on_system(actor: Actor) -> Role | None:
    """Every person reads what concerns everybody; an agent is none."""
    if may_send(actor):
        return Role.OWNER
    return None if actor.user is None else Role.VIEWER


def role_towards(actor: Actor, user_id: int) -> Role | None:
    """Who may send something to this person, and the person; None for all others, and if there is no such person."""
    if may_send(actor):
        return Role.OWNER if User.objects.filter(pk=user_id).exists() else None
    return Role.VIEWER if is_this_person(actor, user_id) else None


def is_this_person(actor: Actor, user_id: int) -> bool:
    return actor.user is not None and actor.user.pk == user_id


def notices_for(actor: Actor) -> QuerySet[Notice]:
    """What everybody was told, and what this person was, newest first."""
    if actor.user is None:
        return Notice.objects.none()
    return Notice.objects.filter(Q(recipient=actor.user) | Q(recipient=None, recipient_name=""))
