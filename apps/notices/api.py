"""Notices over REST: staff sends them, people read theirs."""

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.actors import Actor
from apps.accounts.refusals import Forbidden, NotFound
from apps.accounts.rest import IsKnown, actor_of
from apps.events.declare import Topic
from apps.events.rest import perform_request
from apps.notices import selectors
from apps.notices.contract import Broadcast, Notify, SystemTopic
from apps.notices.models import Notice

USER = OpenApiParameter("user_id", OpenApiTypes.INT, OpenApiParameter.PATH)


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    """A notice; `personal` ones were for the reader alone."""

    personal = serializers.BooleanField(source="is_personal", read_only=True)
    link = serializers.SerializerMethodField()

    class Meta:
        model = Notice
        fields = ("id", "message", "level", "link", "personal", "created_at")

    def get_link(self, notice: Notice) -> str | None:
        return notice.link or None


class NotificationList(generics.ListAPIView[Notice]):
    """What you were told, alone or with everybody, newest first."""

    permission_classes = (IsKnown,)
    serializer_class = NoticeSerializer
    queryset = Notice.objects.none()

    def get_queryset(self) -> QuerySet[Notice]:
        return selectors.notices_for(actor_of(self.request))


class BroadcastView(APIView):
    """A message to everybody who is logged in."""

    permission_classes = (IsKnown,)

    @extend_schema(request=Broadcast, responses={201: dict}, tags=["notices"])
    def post(self, request: Request) -> Response:
        """Tell everybody; for staff. An `Idempotency-Key` header makes it safe to send again."""
        _sender(request)
        told = perform_request(request, Broadcast.TYPE, str(SystemTopic()), request.data)
        return Response(told, status=status.HTTP_201_CREATED)


class NotifyView(APIView):
    """A message to one person."""

    permission_classes = (IsKnown,)

    @extend_schema(parameters=[USER], request=Notify, responses={201: dict}, tags=["notices"])
    def post(self, request: Request, user_id: str) -> Response:
        """Tell one person; for staff. An `Idempotency-Key` header makes it safe to send again."""
        actor = _sender(request)
        try:
            topic = Topic.parse(f"user.{user_id}")
        except NotFound:
            raise _nobody(user_id) from None
        if topic.role_of(actor) is None:
            raise _nobody(user_id)
        told = perform_request(request, Notify.TYPE, str(topic), request.data)
        return Response(told, status=status.HTTP_201_CREATED)


def _sender(request: Request) -> Actor:
    """Who sends it. Whoever may not hears the same, whether or not there is somebody to send it to."""
    actor = actor_of(request)
    if not selectors.may_send(actor):
        raise Forbidden("Only staff may send notices.")
    return actor


def _nobody(user_id: str) -> NotFound:
    return NotFound(f"There is no user {user_id[:64]}.")
