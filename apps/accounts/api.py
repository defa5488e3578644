"""REST: tokens, socket tickets, teams and their members, API keys."""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt import views as simplejwt

from apps.accounts import selectors, services, tickets
from apps.accounts.actors import Actor
from apps.accounts.models import ApiKey, Membership, Team, User
from apps.accounts.refusals import Forbidden, Invalid, NotFound
from apps.accounts.rest import actor_of
from apps.accounts.serializers import (
    ApiKeySerializer,
    BlacklistSerializer,
    ChangedMemberSerializer,
    CreatedApiKeySerializer,
    MemberSerializer,
    NewApiKeySerializer,
    NewMemberSerializer,
    ObtainSerializer,
    RefreshSerializer,
    SpentTokenSerializer,
    TeamSerializer,
    TicketSerializer,
    TokensSerializer,
)
from apps.accounts.writes import write_and_wait


@extend_schema(responses=TokensSerializer)
class ObtainTokenView(simplejwt.TokenObtainPairView):
    """Username and password for an access and a refresh token."""

    serializer_class = ObtainSerializer


@extend_schema(request=SpentTokenSerializer, responses=TokensSerializer)
class RefreshTokenView(simplejwt.TokenRefreshView):
    """A refresh token for a new pair; the old one is used up."""

    serializer_class = RefreshSerializer


@extend_schema(request=SpentTokenSerializer, responses={200: OpenApiResponse(description="It has ended.")})
class BlacklistTokenView(simplejwt.TokenBlacklistView):
    """Log out: the refresh token and every token of its login end."""

    serializer_class = BlacklistSerializer


class TicketView(APIView):
    """A one-time ticket that opens one socket: `/ws/?ticket=…`."""

    @extend_schema(request=None, responses={201: TicketSerializer})
    def post(self, request: Request) -> Response:
        ticket = write_and_wait(tickets.issue, actor_of(request))
        return Response(
            {"ticket": ticket, "expires_in": settings.SOCKET_TICKET_SECONDS},
            status=status.HTTP_201_CREATED,
            headers={"Cache-Control": "no-store"},
        )


class TeamsView(ListAPIView[Team]):
    """The teams that you are in; anybody may begin a new one."""

    serializer_class = TeamSerializer

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Team.objects.none()
        return selectors.teams_of(actor_of(self.request))

    @extend_schema(responses={201: TeamSerializer})
    def post(self, request: Request) -> Response:
        body = _valid(TeamSerializer, request)
        team = write_and_wait(services.create_team, actor_of(request), name=body["name"])
        return Response(TeamSerializer(team).data, status=status.HTTP_201_CREATED)


class TeamView(APIView):
    """One team."""

    @extend_schema(responses=TeamSerializer)
    def get(self, request: Request, team_id: UUID) -> Response:
        return Response(TeamSerializer(_team(actor_of(request), team_id)).data)


class MembersView(ListAPIView[Membership]):
    """Who is in a team; an owner adds people by their username."""

    serializer_class = MemberSerializer

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Membership.objects.none()
        return _team(actor_of(self.request), self.kwargs["team_id"]).memberships.select_related("user")

    @extend_schema(request=NewMemberSerializer, responses={201: MemberSerializer})
    def post(self, request: Request, team_id: UUID) -> Response:
        actor = actor_of(request)
        team = _team_to_manage(actor, team_id)
        body = _valid(NewMemberSerializer, request)
        user = User.objects.filter(username=body["username"], is_active=True).first()
        if user is None:
            raise Invalid(f"There is no user {body['username']}.")
        membership = write_and_wait(services.add_member, actor, team=team, user=user, role=body["role"])
        return Response(MemberSerializer(membership).data, status=status.HTTP_201_CREATED)


class MemberView(APIView):
    """One member: an owner changes the role or removes them; anybody may leave."""

    @extend_schema(request=ChangedMemberSerializer, responses=MemberSerializer)
    def patch(self, request: Request, team_id: UUID, user_id: int) -> Response:
        actor = actor_of(request)
        team, user = _team_to_manage(actor, team_id), _user(user_id)
        role = _valid(ChangedMemberSerializer, request)["role"]
        membership = write_and_wait(services.change_role, actor, team=team, user=user, role=role)
        return Response(MemberSerializer(membership).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, team_id: UUID, user_id: int) -> Response:
        actor = actor_of(request)
        write_and_wait(services.remove_member, actor, team=_team(actor, team_id), user=_user(user_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ApiKeysView(ListAPIView[ApiKey]):
    """The API keys of the teams that you own. A new key is shown once, in the answer that creates it."""

    serializer_class = ApiKeySerializer

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return ApiKey.objects.none()
        return selectors.keys_managed_by(actor_of(self.request))

    @extend_schema(request=NewApiKeySerializer, responses={201: CreatedApiKeySerializer})
    def post(self, request: Request) -> Response:
        actor = actor_of(request)
        body = _valid(NewApiKeySerializer, request)
        team = _team_to_manage(actor, body["team"]) if "team" in body else _only_owned_team(actor)
        key, plaintext = write_and_wait(
            services.create_key, actor, team=team, name=body["name"], expires_at=body["expires_at"]
        )
        return Response(
            {**ApiKeySerializer(key).data, "key": plaintext},
            status=status.HTTP_201_CREATED,
            headers={"Cache-Control": "no-store"},
        )


class ApiKeyView(APIView):
    """One API key. Deleting it revokes it: what it did stays on record."""

    @extend_schema(responses=ApiKeySerializer)
    def get(self, request: Request, prefix: str) -> Response:
        return Response(ApiKeySerializer(_key(actor_of(request), prefix)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, prefix: str) -> Response:
        actor = actor_of(request)
        write_and_wait(services.revoke_key, actor, key=_key(actor, prefix))
        return Response(status=status.HTTP_204_NO_CONTENT)


class RevokeApiKeyView(APIView):
    """Revoke a key for good."""

    @extend_schema(request=None, responses=ApiKeySerializer)
    def post(self, request: Request, prefix: str) -> Response:
        actor = actor_of(request)
        return Response(ApiKeySerializer(write_and_wait(services.revoke_key, actor, key=_key(actor, prefix))).data)


def _valid(serializer_class: type[Any], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _team(actor: Actor, team_id: UUID) -> Team:
    team = selectors.teams_of(actor).filter(id=team_id).first()
    if team is None:
        raise NotFound("There is no such team.")
    return team


def _team_to_manage(actor: Actor, team_id: UUID) -> Team:
    team = _team(actor, team_id)
    if not selectors.teams_owned_by(actor).filter(id=team_id).exists():
        raise Forbidden("Only an owner of the team may do this.")
    return team


def _only_owned_team(actor: Actor) -> Team:
    owned = list(selectors.teams_owned_by(actor)[:2])
    if not owned:
        raise Forbidden("Only an owner of a team may do this.")
    if len(owned) > 1:
        raise Invalid("You own several teams: say which one.")
    return owned[0]


def _user(user_id: int) -> User:
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such member.")
    return user


def _key(actor: Actor, prefix: str) -> ApiKey:
    key: ApiKey | None = ApiKey.objects.select_related("team", "created_by").filter(prefix=prefix).first()
    if key is None or selectors.role_in_team(actor, key.team_id) is None:
        raise NotFound("There is no such API key.")
    if not selectors.teams_owned_by(actor).filter(id=key.team_id).exists():
        raise Forbidden("Only an owner of the team may do this.")
    return key
