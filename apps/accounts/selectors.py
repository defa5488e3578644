"""Questions about who belongs where."""

from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.models import ApiKey, Membership, Team
from apps.accounts.roles import Role


def role_in_team(actor: Actor, team_id: UUID) -> Role | None:
    """What the actor may do in this team; None: a stranger, or there is no such team."""
    if actor.is_system:
        return Role.OWNER
    if actor.key is not None:
        return Role.AGENT if actor.key.team_id == team_id else None
    if actor.is_staff:
        return Role.OWNER if Team.objects.filter(id=team_id).exists() else None
    role = Membership.objects.filter(team_id=team_id, user=actor.user).values_list("role", flat=True).first()
    return None if role is None else Role(role)


def teams_of(actor: Actor) -> QuerySet[Team]:
    """The teams in which the actor has any role, oldest first."""
    if actor.is_system or actor.is_staff:
        return Team.objects.all()
    if actor.key is not None:
        return Team.objects.filter(id=actor.key.team_id)
    return Team.objects.filter(memberships__user=actor.user)


def team_ids_of(actor: Actor) -> list[UUID]:
    """The same, asked for now: what is newest in one known team lies at the end of an index, a subquery's is sorted."""
    return list(teams_of(actor).order_by().values_list("pk", flat=True))


def teams_owned_by(actor: Actor) -> QuerySet[Team]:
    """The teams that the actor may manage."""
    if actor.is_system or actor.is_staff:
        return Team.objects.all()
    if actor.key is not None:
        return Team.objects.none()
    return Team.objects.filter(memberships__user=actor.user, memberships__role=Role.OWNER)


def keys_managed_by(actor: Actor) -> QuerySet[ApiKey]:
    """The API keys of the teams that the actor may manage, newest first."""
    return ApiKey.objects.filter(team__in=teams_owned_by(actor)).select_related("team", "created_by")
