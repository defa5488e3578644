"""The REST doors of chat. What a frame does on the socket, the same frame does here."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.accounts.rest import actor_of
from apps.accounts.selectors import teams_of
from apps.chat import selectors, services
from apps.chat.contract import AddMember, PostMessage
from apps.chat.models import ChatSession, Message
from apps.events.rest import perform_request
from apps.events.threads import write_and_wait


class SessionSerializer(serializers.ModelSerializer[ChatSession]):
    """A chat session; `topic` is where it is followed."""

    topic = serializers.SerializerMethodField()
    team = serializers.UUIDField(source="team_id", required=False, help_text="Left out: the first team of the caller.")

    class Meta:
        model = ChatSession
        fields = ("id", "topic", "team", "title", "created_at")

    def get_topic(self, session: ChatSession) -> str:
        return f"chat.{session.pk}"


class PersonSerializer(serializers.ModelSerializer[User]):
    name = serializers.CharField(source="display_name", read_only=True)

    class Meta:
        model = User
        fields = ("id", "name")


class MessageSerializer(serializers.ModelSerializer[Message]):
    author = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = ("id", "author", "content", "created_at")

    def get_author(self, message: Message) -> dict[str, Any]:
        return {"id": message.author_id, "name": message.author_name}


@extend_schema(tags=["chat"])
class SessionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """The chat sessions of the caller."""

    serializer_class = SessionSerializer
    queryset = ChatSession.objects.none()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[ChatSession]:
        return selectors.sessions_of(actor_of(self.request))

    @extend_schema(responses={201: SessionSerializer})
    def create(self, request: Request) -> Response:
        """Open a session."""
        body = self.get_serializer(data=request.data)
        body.is_valid(raise_exception=True)
        actor = actor_of(request)
        teams = teams_of(actor)
        wanted = body.validated_data.get("team_id")
        team = get_object_or_404(teams, pk=wanted) if wanted else get_object_or_404(teams[:1])
        session = write_and_wait(services.open_session, actor, team=team, title=body.validated_data["title"])
        return Response(self.get_serializer(session).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=MessageSerializer(many=True))
    @action(detail=True)
    def messages(self, request: Request, pk: UUID) -> Response:
        """What was said, oldest first."""
        page = self.paginate_queryset(self._session(request, pk).messages.all())
        return self.get_paginated_response(MessageSerializer(page or [], many=True).data)

    @extend_schema(request=PostMessage, responses={201: dict})
    @messages.mapping.post
    def post_message(self, request: Request, pk: UUID) -> Response:
        """Say something."""
        return self._perform(request, pk, "message", request.data)

    @extend_schema(responses=PersonSerializer(many=True))
    @action(detail=True, pagination_class=None)
    def members(self, request: Request, pk: UUID) -> Response:
        """Who is in the session, in the order they came."""
        return Response(PersonSerializer(selectors.people_in(self._session(request, pk)), many=True).data)

    @extend_schema(request=AddMember, responses={201: dict})
    @members.mapping.post
    def add_member(self, request: Request, pk: UUID) -> Response:
        """Take a member of the team in."""
        return self._perform(request, pk, "member:add", request.data)

    @extend_schema(responses={200: dict})
    @action(detail=True, methods=["delete"], url_path="members/<int:user_id>")
    def remove_member(self, request: Request, pk: UUID, user_id: int) -> Response:
        """Take somebody out, or leave."""
        return self._perform(request, pk, "member:remove", {"user_id": user_id}, status.HTTP_200_OK)

    def _session(self, request: Request, pk: UUID) -> ChatSession:
        return selectors.session_for(actor_of(request), pk)

    def _perform(
        self, request: Request, pk: UUID, type: str, data: Any, success: int = status.HTTP_201_CREATED
    ) -> Response:
        """One frame. `Idempotency-Key` is its id: sent twice under the same key, it happens once."""
        return Response(perform_request(request, type, f"chat.{pk}", data), status=success)
