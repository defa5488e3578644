from django.urls import path

from apps.pages import views
from apps.pages.errors import ClientErrorsView

urlpatterns = [
    path("", views.home, name="home"),
    path("projects/", views.projects, name="projects"),
    path("projects/<uuid:project_id>/", views.project, name="project"),
    path("runs/<uuid:run_id>/", views.run, name="run"),
    path("tasks/", views.tasks, name="tasks"),
    path("tasks/<uuid:task_id>/", views.task, name="task"),
    path("agents/", views.agents, name="agents"),
    path("agents/<uuid:agent_id>/", views.agent, name="agent"),
    path("chat/", views.chats, name="chats"),
    path("chat/<uuid:session_id>/", views.chat_session, name="chat"),
    path("api/v1/client-errors/", ClientErrorsView.as_view(), name="client-errors"),
]
