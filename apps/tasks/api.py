"""Tasks over REST."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.refusals import Invalid
from apps.accounts.rest import IsKnown, actor_of
from apps.events.rest import choice_of, perform_request, uuid_of
from apps.tasks import selectors
from apps.tasks.models import Status, Task
from apps.tasks.serializers import SubmitTaskSerializer, TaskSerializer


@extend_schema(
    parameters=[
        OpenApiParameter("team", UUID),
        OpenApiParameter("status", str, enum=list(Status.values)),
        OpenApiParameter("purpose", str, description="`alone` for tasks of their own, `step` for steps of runs."),
    ]
)
class TaskList(generics.ListAPIView[Task]):
    """The tasks of your teams, newest first."""

    permission_classes = (IsKnown,)
    serializer_class = TaskSerializer

    def get_queryset(self) -> Any:
        asked = self.request.query_params
        tasks = selectors.tasks_of(actor_of(self.request), team_id=uuid_of(asked.get("team"), "team"))
        if status := choice_of(asked.get("status"), "status", Status.values):
            tasks = tasks.filter(status=status)
        if purpose := asked.get("purpose"):
            if not purpose.isidentifier():
                raise Invalid("purpose must be a name like alone or step.")
            tasks = tasks.filter(purpose="" if purpose == "alone" else purpose)
        return tasks

    @extend_schema(request=SubmitTaskSerializer, responses={201: TaskSerializer})
    def post(self, request: Request) -> Response:
        """Have something done by an agent. An `Idempotency-Key` header makes it safe to send again."""
        actor = actor_of(request)
        body = SubmitTaskSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data = dict(body.validated_data)
        team = selectors.team_for(actor, data.pop("team", None))
        answer = perform_request(request, "task:submit", f"team.{team.pk}", data)
        return Response(_shown(Task.objects.get(pk=answer["data"]["task_id"])), status=201)


class TaskDetail(APIView):
    """One task."""

    permission_classes = (IsKnown,)

    @extend_schema(responses=TaskSerializer)
    def get(self, request: Request, task_id: UUID) -> Response:
        """What has become of it."""
        return Response(_shown(selectors.task_for(actor_of(request), task_id)))


class TaskCancel(APIView):
    """The end of one task."""

    permission_classes = (IsKnown,)

    @extend_schema(request=None, responses=TaskSerializer)
    def post(self, request: Request, task_id: UUID) -> Response:
        """End it: at once if it waits, through an interrupt if it runs."""
        actor = actor_of(request)
        task = selectors.task_for(actor, task_id)
        perform_request(request, "task:cancel", f"team.{task.team_id}", {"task_id": str(task.pk)})
        return Response(_shown(selectors.task_for(actor, task_id)))


def _shown(task: Task) -> dict[str, Any]:
    return dict(TaskSerializer(task).data)
