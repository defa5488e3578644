"""The addresses of the one socket. An address only chooses the first subscriptions."""

from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.urls import path, re_path

from apps.accounts.actors import Actor
from apps.accounts.refusals import NotFound, Unavailable
from apps.events.declare import Topic
from apps.gateway.consumers import GatewayConsumer
from apps.gateway.turnaway import no_such_socket

Scope = dict[str, Any]


def chat_of_url(actor: Actor, scope: Scope) -> list[Topic]:
    """`?session_id=…` or the path's session."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    session_id = scope["url_route"]["kwargs"].get("session_id") or (query.get("session_id") or [""])[0]
    return [Topic.parse(f"chat.{session_id}")] if session_id else []


def agents_of_user(actor: Actor, scope: Scope) -> list[Topic]:
    """The topics of the agents that this user sees. Somebody else's page is nobody's."""
    from apps.accounts.selectors import teams_of

    if not settings.ENABLE_AGENT_MONITORING:
        raise Unavailable("Agents are not watched live here: ENABLE_AGENT_MONITORING is off.")
    if actor.user is None or str(actor.user.pk) != scope["url_route"]["kwargs"]["user_id"]:
        raise NotFound("These are not your agents.")
    one_too_many = settings.LIMITS["topics"] + 1  # so that it is said if there are more
    return [Topic.parse(f"team.{team.pk}") for team in teams_of(actor)[:one_too_many]]


def current_run(actor: Actor, scope: Scope) -> list[Topic]:
    """The newest run of a project, if it has one."""
    from apps.swarm.selectors import current_run_topic

    topic = current_run_topic(actor, scope["url_route"]["kwargs"]["project_id"])
    return [topic] if topic else []


websocket_urlpatterns = [
    path("ws/", GatewayConsumer.as_asgi()),
    path("api/v1/ws/connect", GatewayConsumer.as_asgi()),
    path("ws/chat", GatewayConsumer.as_asgi(first_topics=chat_of_url)),
    path("api/ws/chat/<str:session_id>", GatewayConsumer.as_asgi(first_topics=chat_of_url)),
    path("api/ws/agent-status/<str:user_id>", GatewayConsumer.as_asgi(first_topics=agents_of_user)),
    path("ws/admin/agent-swarm/<str:project_id>", GatewayConsumer.as_asgi(first_topics=current_run)),
    re_path("", no_such_socket),  # type: ignore[arg-type]
]
