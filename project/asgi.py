"""The ASGI application: HTTP to Django, sockets and waiting readers to the gateway."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from apps.gateway.asgi import application as without_middleware  # noqa: E402
from apps.gateway.lifespan import lifespan  # noqa: E402
from apps.gateway.polling import read_events  # noqa: E402
from project.cors import with_cors  # noqa: E402
from project.sockets import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": with_cors(
            URLRouter(
                [
                    # Channels routes ASGI applications with Django's path(), which is typed for views.
                    path("api/v1/events/", without_middleware(read_events)),  # type: ignore[arg-type]
                    re_path("", django_application),  # type: ignore[arg-type]
                ]
            )
        ),
        "websocket": URLRouter(websocket_urlpatterns),
        "lifespan": lifespan,
    }
)
