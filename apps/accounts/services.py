"""Everything that changes who may do what. Each service checks, writes, records, and tells of what was taken away."""

import secrets
from datetime import datetime
from typing import cast

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit, selectors
from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.models import ApiKey, Membership, Team, User
from apps.accounts.refusals import Conflict, Forbidden, Invalid, NotFound
from apps.accounts.revocations import revoked
from apps.accounts.roles import HUMAN_ROLES, Role, permits


@transaction.atomic
def create_team(actor: Actor, *, name: str, owner: User | None = None) -> Team:
    """A new team; its owner is the one given, else who made it."""
    if actor.is_agent:
        raise Forbidden()
    team = Team.objects.create(name=_a_name(name, longest=100))
    if owner := owner or actor.user:
        Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    audit.record(actor, "team.created", str(team.id), name=team.name, owner=owner.username if owner else None)
    return team


@transaction.atomic
def add_member(actor: Actor, *, team: Team, user: User, role: Role = Role.VIEWER) -> Membership:
    """Let a person into the team; Conflict if they are in it."""
    _must_own(actor, team)
    _must_be_for_people(role)
    try:
        with transaction.atomic():
            membership = Membership.objects.create(team=team, user=user, role=role)
    except IntegrityError as error:
        raise Conflict(f"{user.username} is a member of this team already.") from error
    audit.record(actor, "member.added", str(team.id), user=user.username, role=Role(role).name.lower())
    return membership


@transaction.atomic
def change_role(actor: Actor, *, team: Team, user: User, role: Role) -> Membership:
    """Give a member another role; Conflict if the team would be left without an owner."""
    _must_own(actor, team)
    _must_be_for_people(role)
    membership = _membership_for_change(team, user)
    if role != Role.OWNER:
        _must_not_be_last_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    audit.record(actor, "member.role_changed", str(team.id), user=user.username, role=Role(role).name.lower())
    revoked(user_id=user.pk, team_id=team.id)
    return membership


@transaction.atomic
def remove_member(actor: Actor, *, team: Team, user: User) -> None:
    """Put a person out of the team, or leave it; Conflict if the team would be left without an owner."""
    if actor.user != user:
        _must_own(actor, team)
    membership = _membership_for_change(team, user)
    _must_not_be_last_owner(membership)
    membership.delete()
    audit.record(actor, "member.removed", str(team.id), user=user.username)
    revoked(user_id=user.pk, team_id=team.id)


@transaction.atomic
def create_key(actor: Actor, *, team: Team, name: str, expires_at: datetime | None = None) -> tuple[ApiKey, str]:
    """A new API key for the team's agents, and its plaintext, which cannot be had again."""
    _must_own(actor, team)
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("A key must expire in the future.")
    key, plaintext = ApiKey.objects.create_key(
        name=_a_name(name, longest=50), team=team, created_by=actor.user, expiry_date=expires_at
    )
    audit.record(actor, "key.created", key.prefix, name=key.name, team=str(team.id))
    return cast(ApiKey, key), plaintext


@transaction.atomic
def revoke_key(actor: Actor, *, key: ApiKey) -> ApiKey:
    """Take a key away for good; doing it twice is no error."""
    _must_own(actor, key.team)
    if not key.revoked:
        key.revoked = True
        key.save(update_fields=["revoked"])
        audit.record(actor, "key.revoked", key.prefix, name=key.name, team=str(key.team_id))
        revoked(key_prefix=key.prefix)
    return key


@transaction.atomic
def deactivate_user(actor: Actor, *, user: User) -> None:
    """Keep a person out until `activate_user`; their live connections end."""
    _must_manage(actor, user)
    if actor.user == user:
        raise Conflict("You cannot deactivate yourself.")
    user.is_active = False
    user.save(update_fields=["is_active"])
    audit.record(actor, "user.deactivated", f"user:{user.pk}", name=user.username)
    revoked(user_id=user.pk)


@transaction.atomic
def activate_user(actor: Actor, *, user: User) -> None:
    """Let a deactivated person in again."""
    _must_manage(actor, user)
    user.is_active = True
    user.save(update_fields=["is_active"])
    audit.record(actor, "user.activated", f"user:{user.pk}", name=user.username)


@transaction.atomic
def set_password(actor: Actor, *, user: User, password: str) -> None:
    """Give a person another password; every login under the old one ends."""
    if actor.user != user:
        _must_manage(actor, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record(actor, "user.password_changed", f"user:{user.pk}", name=user.username)
    revoked(user_id=user.pk)


@transaction.atomic
def ensure_admin(username: str = "admin", password: str = "") -> tuple[User, str | None]:
    """The installation's administrator, made if there is none by that name. Can be called at every start.

    A password given is in force afterwards. Without one a new user gets a random one, which is returned
    (once: for a user who exists already it is None).
    """
    user = User.objects.filter(username=username).first()
    if user is not None:
        if password and not user.check_password(password):
            set_password(SYSTEM, user=user, password=password)
        return user, None
    generated = None if password else secrets.token_urlsafe(12)
    user = User.objects.create_superuser(username=username, password=password or generated)
    audit.record(SYSTEM, "user.created", f"user:{user.pk}", name=username, superuser=True)
    return user, generated


@transaction.atomic
def ensure_team(name: str, owner: User) -> Team:
    """The oldest team that `owner` owns under this name, made if there is none."""
    owned = Team.objects.filter(name=name, memberships__user=owner, memberships__role=Role.OWNER).first()
    return owned or create_team(SYSTEM, name=name, owner=owner)


def _must_own(actor: Actor, team: Team) -> None:
    role = selectors.role_in_team(actor, team.id)
    if role is None:
        raise NotFound()
    if not permits(role, Role.OWNER):
        raise Forbidden("Only an owner of the team may do this.")


def _must_manage(actor: Actor, user: User) -> None:
    if not (actor.is_staff or actor.is_system):
        raise NotFound()
    if user.is_superuser and actor.user is not None and not actor.user.is_superuser:
        raise Forbidden("Only a superuser may do this to a superuser.")


def _must_be_for_people(role: Role) -> None:
    if role not in HUMAN_ROLES:
        raise Invalid("A person is a viewer, an operator or an owner.")


def _membership_for_change(team: Team, user: User) -> Membership:
    """The membership, while nobody else changes the team's members."""
    Team.objects.select_for_update().get(pk=team.pk)
    membership = Membership.objects.filter(team=team, user=user).first()
    if membership is None:
        raise NotFound()
    return membership


def _must_not_be_last_owner(membership: Membership) -> None:
    if membership.role != Role.OWNER:
        return
    if not Membership.objects.filter(team=membership.team_id, role=Role.OWNER).exclude(pk=membership.pk).exists():
        raise Conflict("A team needs an owner: make somebody else one first.")


def _a_name(name: str, *, longest: int) -> str:
    name = name.strip()
    if not name or len(name) > longest or not name.isprintable():
        raise Invalid(f"A name has 1 to {longest} printable characters.")
    return name
