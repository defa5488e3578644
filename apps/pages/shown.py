"""How a page behind the login is shown: who asks is known, and a stranger gets the same 404 as for nothing."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from apps.accounts.actors import Actor
from apps.accounts.marks import leave_mark
from apps.accounts.refusals import NotFound
from apps.accounts.rest import person_of
from apps.accounts.selectors import teams_of
from apps.agents.contract import TeamTopic
from apps.events import wire
from apps.notices.contract import SystemTopic, UserTopic
from apps.pages.feeds import Feed

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
            return view(request, person_of(request), **kwargs)
        except NotFound as refusal:
            raise Http404(refusal.message) from refusal

    return shown


def whole_or_part(request: HttpRequest, whole: str, **parts: str) -> str:
    """The template of the part that the page's script asks for with `?part=`, or of the whole page."""
    return parts.get(request.GET.get("part", ""), whole)


def show(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """The template with what every page behind the login needs. Only a browser may keep it, to go back to."""
    asked = request.GET.get("transport", "")
    transport = asked if asked in TRANSPORTS else "auto" if settings.ENABLE_WEBSOCKET else "poll"
    place = request.resolver_match.url_name if request.resolver_match else ""
    actor = person_of(request)
    topics = " ".join(str(TeamTopic(team_id=team.pk)) for team in teams_of(actor)[:MOST_TEAMS])
    everywhere = {
        "transport": transport,
        "place": PLACES.get(place or "", place),
        "team_topics": topics,
        # Asked for by whole pages only, not by their parts.
        "notice_feeds": SimpleLazyObject(partial(_notice_feeds, actor)),
        "now": wire.timestamp(wire.now()),
    }
    response = render(request, template, {**context, **everywhere})
    response["Cache-Control"] = "private, no-cache"
    leave_mark(request, response)
    return response


def _notice_feeds(actor: Actor) -> list[Feed]:
    """What everybody is told, and what this person is, from now on."""
    return [Feed.of(SystemTopic()), *([Feed.of(UserTopic(user_id=actor.user.pk))] if actor.user else [])]
