from django.urls import path

from apps.gateway import views
from apps.gateway.polling import read_events

urlpatterns = [
    path("health", views.live),
    path("api/health", views.ready),
    path("api/ws/health", views.ready),
    path("api/ws/connections", views.ConnectionsView.as_view()),
    path("api/v1/ws/stats", views.StatsView.as_view()),
    path("api/v1/frames/", views.FramesView.as_view()),
    path("api/v1/events/", read_events),
    path("metrics", views.prometheus),
]
