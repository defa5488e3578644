"""Projects and runs over REST, under `/api/v1/` and under the paths of existing dashboards."""

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import audit
from apps.accounts.payloads import JsonBody
from apps.accounts.refusals import Invalid
from apps.accounts.rest import IsKnown, actor_of
from apps.events.rest import perform_request, uuid_of
from apps.events.threads import write_and_wait
from apps.swarm import logs, selectors, services
from apps.swarm.definition import Definition
from apps.swarm.models import Project, Run
from apps.swarm.parsers import PlainTextParser, TextYamlParser, YamlParser
from apps.swarm.serializers import (
    LogPageSerializer,
    ProjectDetailSerializer,
    ProjectSerializer,
    RunSerializer,
    RunSummarySerializer,
    WriteProjectSerializer,
    definition_in,
)
from apps.tasks.selectors import team_for

BODIES = (JsonBody, YamlParser, TextYamlParser, PlainTextParser)


@extend_schema(parameters=[OpenApiParameter("team", UUID)])
class ProjectList(generics.ListAPIView[Project]):
    """The projects of your teams, by name."""

    permission_classes = (IsKnown,)
    parser_classes = BODIES
    serializer_class = ProjectSerializer

    def get_queryset(self) -> Any:
        projects = selectors.projects_of(actor_of(self.request))
        team_id = uuid_of(self.request.query_params.get("team"), "team")
        return projects if team_id is None else projects.filter(team_id=team_id)

    @extend_schema(request=WriteProjectSerializer, responses={201: ProjectDetailSerializer})
    def post(self, request: Request) -> Response:
        """Write a project; owners of a team may."""
        definition, team_id = _written(request)
        actor = actor_of(request)
        team = team_for(actor, team_id)
        services.check_may_edit(actor, team)
        project = write_and_wait(_save, request, team, definition, None)
        return Response(_shown(project), status=201)


class ProjectDetail(APIView):
    """One project."""

    permission_classes = (IsKnown,)
    parser_classes = BODIES

    @extend_schema(responses=ProjectDetailSerializer)
    def get(self, request: Request, project_id: UUID) -> Response:
        """The project, its plan and its newest run."""
        return Response(_shown(selectors.project_for(actor_of(request), project_id)))

    @extend_schema(request=WriteProjectSerializer, responses=ProjectDetailSerializer)
    def put(self, request: Request, project_id: UUID) -> Response:
        """Replace its plan; runs that have started keep theirs."""
        actor = actor_of(request)
        project = selectors.project_for(actor, project_id)
        services.check_may_edit(actor, project.team)
        definition, _ = _written(request)
        return Response(_shown(write_and_wait(_save, request, project.team, definition, project)))


class ProjectRuns(generics.ListAPIView[Run]):
    """The runs of one project, newest first."""

    permission_classes = (IsKnown,)
    serializer_class = RunSummarySerializer

    def get_queryset(self) -> Any:
        actor = actor_of(self.request)
        project = selectors.project_for(actor, self.kwargs["project_id"])
        return selectors.runs_of(actor, project_id=project.pk)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return _page_of_runs(self)

    @extend_schema(request=None, responses={201: RunSerializer})
    def post(self, request: Request, project_id: UUID) -> Response:
        """Start a run. An `Idempotency-Key` header makes it safe to send again."""
        actor = actor_of(request)
        project = selectors.project_for(actor, project_id)
        data = {"project_id": str(project.pk)}
        answer = perform_request(request, "run:start", f"team.{project.team_id}", data)
        return Response(selectors.watch(selectors.run_for(actor, answer["data"]["run_id"])), status=201)


@extend_schema(parameters=[OpenApiParameter("project", UUID), OpenApiParameter("team", UUID)])
class RunList(generics.ListAPIView[Run]):
    """The runs of your teams, newest first."""

    permission_classes = (IsKnown,)
    serializer_class = RunSummarySerializer

    def get_queryset(self) -> Any:
        asked = self.request.query_params
        return selectors.runs_of(
            actor_of(self.request),
            project_id=uuid_of(asked.get("project"), "project"),
            team_id=uuid_of(asked.get("team"), "team"),
        )

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return _page_of_runs(self)


class RunDetail(APIView):
    """One run."""

    permission_classes = (IsKnown,)

    @extend_schema(responses=RunSerializer)
    def get(self, request: Request, run_id: UUID) -> Response:
        """The cursor, read first, and the state: follow the run's topic after `cursor` and nothing is missing."""
        return Response(selectors.watch(selectors.run_for(actor_of(request), run_id)))


class RunCancel(APIView):
    """The end of one run."""

    permission_classes = (IsKnown,)

    @extend_schema(request=None, responses=RunSerializer)
    def post(self, request: Request, run_id: UUID) -> Response:
        """End it: what waits is skipped, what runs is interrupted. It is `cancelled` once its agents have stopped."""
        actor = actor_of(request)
        run = selectors.run_for(actor, run_id)
        perform_request(request, "run:cancel", run.topic, {})
        return Response(selectors.watch(run))


class SwarmLogs(APIView):
    """What the steps of a project's run printed."""

    permission_classes = (IsKnown,)

    @extend_schema(
        parameters=[
            OpenApiParameter("run", UUID, description="Left out: the newest run."),
            OpenApiParameter("after", int),
            OpenApiParameter("before", int),
            OpenApiParameter("epoch", str),
            OpenApiParameter("limit", int),
        ],
        responses=LogPageSerializer,
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        """Log lines after or before a cursor, oldest first."""
        actor = actor_of(request)
        project = selectors.project_for(actor, project_id)
        asked = request.query_params
        run_id = uuid_of(asked.get("run"), "run")
        if run_id is None:
            run = selectors.latest_run(project)
        else:
            run = selectors.run_for(actor, run_id, project_id=project.pk)
        if run is None:
            return Response(logs.LogPage(None).as_data())
        limit = max(1, min(_number(asked.get("limit"), "limit", logs.LIMIT), logs.LIMIT))
        if asked.get("before"):
            page = logs.lines_before(run.topic, _number(asked.get("before"), "before", 0), limit=limit)
        else:
            after = _number(asked.get("after"), "after", 0)
            page = logs.lines_after(run.topic, after, epoch=asked.get("epoch"), limit=limit)
        return Response(page.as_data())


def _written(request: Request) -> tuple[Definition, UUID | None]:
    """The project in the body, and the team it is for. A body that is the definition itself is taken too."""
    data = request.data
    if isinstance(data, dict) and "stages" in data:
        data = {"definition": data}
    body = WriteProjectSerializer(data=data)
    body.is_valid(raise_exception=True)
    definition = definition_in(body.validated_data)
    return definition, body.validated_data.get("team") or uuid_of(request.query_params.get("team"), "team")


def _save(request: Request, team: Any, definition: Definition, replace: Project | None) -> Project:
    with transaction.atomic():
        project = services.save_project(team, definition, replace=replace)
        audit.record(actor_of(request), "project saved", str(project.pk), slug=project.slug)
    return project


def _shown(project: Project) -> dict[str, Any]:
    latest = selectors.latest_run(project)
    project.latest_run = selectors.summary_of(latest) if latest else None  # type: ignore[attr-defined]
    return dict(ProjectDetailSerializer(project).data)


def _page_of_runs(view: generics.ListAPIView[Run]) -> Response:
    page = view.paginate_queryset(view.get_queryset())
    return view.get_paginated_response([selectors.summary_of(run) for run in page or []])


def _number(text: str | None, name: str, default: int) -> int:
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Invalid(f"{name} must be a whole number.")
    return int(text)
