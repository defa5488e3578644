from django.urls import path

from apps.tasks import api

urlpatterns = [
    path("api/v1/tasks/", api.TaskList.as_view(), name="task-list"),
    path("api/v1/tasks/<uuid:task_id>/", api.TaskDetail.as_view(), name="task-detail"),
    path("api/v1/tasks/<uuid:task_id>/cancel/", api.TaskCancel.as_view(), name="task-cancel"),
]
