"""Reading the log over HTTP: long poll, short poll, and back into history. The same bytes as on the socket."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseNotModified

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_from_bearer, actor_from_session
from apps.accounts.refusals import Invalid, NotFound, Refusal, Unauthenticated
from apps.accounts.rest import bearer_of
from apps.events import log, store, wire
from apps.events.declare import Topic
from apps.events.log import Page
from apps.events.threads import in_reader
from apps.gateway import hub, metrics

LONGEST_WAIT = 25.0
MOST_EVENTS = 1_000
POLL_AGAIN_SECONDS = 2
"""What a short poll that found nothing is told to wait."""


async def read_events(request: HttpRequest) -> HttpResponse:
    """`GET /api/v1/events/?topic=&after=&epoch=&wait=&limit=` or `&before=`: a page of the log.

    `{topic, epoch, head, floor, reset, events}`. `wait` (seconds, at most 25) is a long poll. Without news: 304 when
    the ETag is known, else an empty page.
    """
    try:
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET"})
        return await _answer(request)
    except Refusal as refusal:
        metrics.refusals.labels(refusal.code).inc()
        return refused(refusal)


def refused(refusal: Refusal) -> HttpResponse:
    """A refusal as HTTP: its status, and `{"error": {code, message}}`."""
    body = wire.dumps({"error": refusal.as_data()})
    response = HttpResponse(body, status=refusal.status, content_type="application/json")
    if refusal.retry_after is not None:
        response["Retry-After"] = str(max(1, round(refusal.retry_after)))
    return response


async def _answer(request: HttpRequest) -> HttpResponse:
    name, after, epoch, wait, limit, before = _question(request)
    await in_reader(_check, request, name)
    if before is not None:
        return _page(await in_reader(log.read_before, name, before, limit))
    at = await in_reader(store.position, name)
    if wait and not log.lost(at, after, epoch) and at.seq <= after:
        await (await hub.current()).wait(name, after, wait)
        await in_reader(_check, request, name)  # Rights may have ended meanwhile.
        at = await in_reader(store.position, name)
    tag = f'"{at.epoch}.{at.seq}.{after}"'
    if not log.lost(at, after, epoch) and at.seq == after and request.headers.get("If-None-Match") == tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = _page(await in_reader(log.read_after, name, after, epoch, limit))
    response["ETag"] = tag
    if not wait and at.seq == after:
        response["Retry-After"] = str(POLL_AGAIN_SECONDS)
    return response


def _question(request: HttpRequest) -> tuple[str, int, str | None, float, int, int | None]:
    query = request.GET
    name = query.get("topic", "")
    if not name:
        raise Invalid("Which `topic`?")
    after = _number(query, "after", 0)
    limit = min(max(1, _number(query, "limit", log.PAGE)), MOST_EVENTS)
    before = _number(query, "before", 0) if "before" in query else None
    wait = min(float(_number(query, "wait", 0)), LONGEST_WAIT)
    return name, after, query.get("epoch") or None, wait, limit, before


def _number(query: Any, name: str, default: int) -> int:
    given = query.get(name, "")
    if given == "":
        return default
    try:
        number = int(given)
    except ValueError:
        number = -1
    if not 0 <= number < 2**62:
        raise Invalid(f"`{name}` is a whole number, 0 or more.")
    return number


def _check(request: HttpRequest, name: str) -> None:
    """Raises Unauthenticated, or NotFound for a stranger."""
    actor = actor_of_cookie_or_token(request)
    if not Topic.parse(name).can_read(actor):
        raise NotFound(f"There is no topic {name}.")


def actor_of_cookie_or_token(request: HttpRequest) -> Actor:
    """Reading only: a cookie needs no proof that our own page sent it."""
    if token := bearer_of(request):
        return actor_from_bearer(token)
    if request.COOKIES.get(settings.SESSION_COOKIE_NAME):
        return actor_from_session(request.COOKIES)
    raise Unauthenticated()


def _page(page: Page) -> HttpResponse:
    events = [event.encoded for event in page.events]
    body = wire.page(page.topic, page.epoch, page.head, page.floor, page.reset, events)
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "private, no-cache"})
