from django.urls import path

from apps.swarm import api

PUBLIC = "v1/public/agent-swarms/"

urlpatterns = [
    path("api/v1/projects/", api.ProjectList.as_view(), name="project-list"),
    path("api/v1/projects/<uuid:project_id>/", api.ProjectDetail.as_view(), name="project-detail"),
    path("api/v1/projects/<uuid:project_id>/runs/", api.ProjectRuns.as_view(), name="project-runs"),
    path("api/v1/runs/", api.RunList.as_view(), name="run-list"),
    path("api/v1/runs/<uuid:run_id>/", api.RunDetail.as_view(), name="run-detail"),
    path("api/v1/runs/<uuid:run_id>/cancel/", api.RunCancel.as_view(), name="run-cancel"),
    # The same under the paths that existing dashboards use.
    path(PUBLIC, api.ProjectList.as_view(), name="public-swarm-list"),
    path(f"{PUBLIC}<uuid:project_id>/", api.ProjectDetail.as_view(), name="public-swarm-detail"),
    path(f"{PUBLIC}<uuid:project_id>/runs/", api.ProjectRuns.as_view(), name="public-swarm-runs"),
    path(f"{PUBLIC}<uuid:project_id>/logs/", api.SwarmLogs.as_view(), name="public-swarm-logs"),
    path(f"{PUBLIC}runs/<uuid:run_id>/", api.RunDetail.as_view(), name="public-run-detail"),
    path(f"{PUBLIC}runs/<uuid:run_id>/cancel/", api.RunCancel.as_view(), name="public-run-cancel"),
]
