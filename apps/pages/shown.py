"""How a page behind the login is shown: who asks is known, and a stranger gets the same 404 as for nothing."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.refusals import NotFound
from apps.accounts.rest import actor_of
from apps.accounts.selectors import teams_of
from apps.agents.contract import TeamTopic
from apps.events import wire

View = Callable[..., HttpResponse]

MOST_TEAMS = 10
TRANSPORTS = ("auto", "socket", "poll")
PLACES = {"project": "projects", "run": "projects", "task": "tasks", "agent": "agents", "chat": "chats"}
"""The navigation's place of a page that is not in it."""


def page(view: View) -> View:
    """Make `view(request, actor, …)` a page for people who are logged in."""

    @login_required
    @wraps(view)
    def shown(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, actor_of(request), **kwargs)
        except NotFound as refusal:
            raise Http404(refusal.message) from refusal

    return shown


def show(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """The template with what every page behind the login needs. It is not cached, since its cursor would be old."""
    asked = request.GET.get("transport", "")
    transport = asked if asked in TRANSPORTS else "auto" if settings.ENABLE_WEBSOCKET else "poll"
    place = request.resolver_match.url_name if request.resolver_match else ""
    topics = " ".join(str(TeamTopic(team_id=team.pk)) for team in teams_of(actor_of(request))[:MOST_TEAMS])
    everywhere = {
        "transport": transport,
        "place": PLACES.get(place or "", place),
        "team_topics": topics,
        "now": wire.timestamp(wire.now()),
    }
    response = render(request, template, {**context, **everywhere})
    response["Cache-Control"] = "no-store"
    return response
