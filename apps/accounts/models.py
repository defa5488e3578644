"""Users, teams and what proves that somebody is one of them."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.contrib.auth.models import AbstractUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager

from apps.accounts.roles import HUMAN_ROLES, Role

# Plain numbers, so that migrations need not import the roles of a later day.
ROLE_CHOICES = [(role.value, role.name.lower()) for role in HUMAN_ROLES]
ROLE_NUMBERS = [role.value for role in HUMAN_ROLES]


DISPLAY_NAME_LENGTH = 150


class User(AbstractUser):
    """A person."""

    @property
    def display_name(self) -> str:
        """No longer than a username may be: what somebody did is kept under it."""
        return (self.get_full_name() or self.get_username())[:DISPLAY_NAME_LENGTH]


class Team(models.Model):
    """People and agents who work together; everything else belongs to a team."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")

    class Meta:
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(choices=ROLE_CHOICES, default=Role.VIEWER.value)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("created_at", "id")
        constraints = [
            models.UniqueConstraint(fields=("team", "user"), name="one_membership_per_team"),
            models.CheckConstraint(condition=models.Q(role__in=ROLE_NUMBERS), name="membership_role_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {Role(self.role).name.lower()} of {self.team}"


class ApiKeyManager(BaseAPIKeyManager):
    """Makes keys whose primary key is their prefix, so that no URL and no foreign key carries the hash."""

    def assign_key(self, obj: AbstractAPIKey) -> str:
        key, prefix, hashed_key = self.key_generator.generate()
        obj.id = obj.prefix = prefix
        obj.hashed_key = hashed_key
        return key


class ApiKey(AbstractAPIKey):
    """What an agent process shows: `<prefix>.<secret>`, of which only a hash is kept."""

    id = models.CharField(max_length=8, primary_key=True, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[ApiKeyManager] = ApiKeyManager()  # type: ignore[assignment]

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"

    @property
    def is_usable(self) -> bool:
        return not self.revoked and not self.has_expired


class TokenFamily(models.Model):
    """One login of a program: every access and refresh token that descends from it ends with it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="token_families")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "token families"


class Ticket(models.Model):
    """A one-time pass for opening one socket, kept as a hash with what its holder's credentials hang on."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, null=True, related_name="+")
    session_key = models.CharField(max_length=40, blank=True)
    family = models.CharField(max_length=32, blank=True)
    password_mark = models.CharField(max_length=64, blank=True)
    credentials_end = models.FloatField(null=True)  # unix time


class LoginAttempt(models.Model):
    """A wrong password (or one being checked now), for the lockout."""

    username = models.CharField(max_length=150)
    address = models.CharField(max_length=45, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=("username", "address", "at"), name="attempts_of_one")]


class AuditEntry(models.Model):
    """Who did what to what, and when."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    sender = models.CharField(max_length=64, db_index=True)
    name = models.CharField(max_length=200)
    action = models.CharField(max_length=64, db_index=True)
    target = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.name} {self.action} {self.target}".strip()
