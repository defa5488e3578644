"""What the REST API takes and shows of teams, members, keys and tokens."""

from typing import Any

from django.contrib.auth.models import update_last_login
from rest_framework import serializers
from rest_framework_simplejwt.serializers import (
    TokenBlacklistSerializer,
    TokenObtainPairSerializer,
    TokenObtainSerializer,
    TokenRefreshSerializer,
)

from apps.accounts import tokens
from apps.accounts.models import ApiKey, Membership, Team
from apps.accounts.roles import HUMAN_ROLES, Role
from apps.accounts.writes import write_and_wait


class RoleField(serializers.ChoiceField):
    """A person's role by its name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[role.name.lower() for role in HUMAN_ROLES], **options)

    def to_internal_value(self, data: Any) -> Role:  # type: ignore[override]
        return Role[str(super().to_internal_value(data)).upper()]

    def to_representation(self, value: int) -> str:  # type: ignore[override]
        return Role(value).name.lower()


class TeamSerializer(serializers.ModelSerializer[Team]):
    class Meta:
        model = Team
        fields = ("id", "name", "created_at")


class MemberSerializer(serializers.ModelSerializer[Membership]):
    user_id = serializers.IntegerField(read_only=True)
    username = serializers.CharField(source="user.username", read_only=True)
    name = serializers.CharField(source="user.display_name", read_only=True)
    role = RoleField()

    class Meta:
        model = Membership
        fields = ("user_id", "username", "name", "role", "created_at")
        read_only_fields = ("created_at",)


class NewMemberSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    role = RoleField(default=Role.VIEWER)


class ChangedMemberSerializer(serializers.Serializer[Any]):
    role = RoleField()


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """A key as it can be shown at any time: never the key itself."""

    team = serializers.UUIDField(source="team_id")
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry_date", allow_null=True)
    created_by = serializers.CharField(source="created_by.username", default=None)

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = (
            "id",
            "prefix",
            "name",
            "team",
            "created_by",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked",
        )
        read_only_fields = fields


class NewApiKeySerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=50)
    team = serializers.UUIDField(required=False, help_text="Left out: the only team that you own.")
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class CreatedApiKeySerializer(ApiKeySerializer):
    """The answer to creating a key, the only one that carries it."""

    key = serializers.CharField()

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")
        read_only_fields = fields


class TicketSerializer(serializers.Serializer[Any]):
    ticket = serializers.CharField(read_only=True)
    expires_in = serializers.IntegerField(read_only=True, help_text="Seconds.")


class TokensSerializer(serializers.Serializer[Any]):
    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class SpentTokenSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(write_only=True)


class ObtainSerializer(TokenObtainPairSerializer):
    """Password for tokens, as a new family."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        TokenObtainSerializer.validate(self, attrs)
        assert self.user is not None  # else the line above has refused
        write_and_wait(update_last_login, None, self.user)  # type: ignore[arg-type]
        return write_and_wait(tokens.issue, self.user)._asdict()


class RefreshSerializer(TokenRefreshSerializer):
    """A refresh token for a new pair."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        return write_and_wait(tokens.rotate, attrs["refresh"])._asdict()


class BlacklistSerializer(TokenBlacklistSerializer):
    """A refresh token, to log out."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        write_and_wait(tokens.end, attrs["refresh"])
        return {}
