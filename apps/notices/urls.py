from django.urls import path, re_path

from apps.notices import api

urlpatterns = [
    re_path(r"^api/v1/ws/broadcast/?$", api.BroadcastView.as_view(), name="broadcast"),
    re_path(r"^api/v1/ws/user/(?P<user_id>[^/]+)/?$", api.NotifyView.as_view(), name="notify"),
    path("api/v1/notifications/", api.NotificationList.as_view(), name="notifications"),
]
