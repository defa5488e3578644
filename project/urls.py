"""Every address: each app brings its own in `apps/<name>/urls.py`, with full paths."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from apps.accounts.views import LogoutView

handler400 = "apps.pages.handlers.bad_request"
handler404 = "apps.pages.handlers.not_found"
handler500 = "apps.pages.handlers.server_error"

APPS = ["gateway", "accounts", "agents", "tasks", "swarm", "chat", "notices", "pages"]

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/logout/", LogoutView.as_view()),
    path("admin/", admin.site.urls),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    *(path("", include(f"apps.{name}.urls")) for name in APPS if find_spec(f"apps.{name}.urls")),
]
