"""Reading the log over HTTP: long poll, short poll, back into history, or only what matches a filter. The same bytes
as on the socket."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseNotModified
from django.utils.http import parse_etags

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_from_bearer, actor_from_session
from apps.accounts.refusals import Invalid, NotFound, Refusal, Unauthenticated, Unavailable
from apps.accounts.rest import CODES, bearer_of
from apps.events import log, store, wire
from apps.events.declare import Topic
from apps.events.log import Page
from apps.events.search import Filter
from apps.events.threads import in_reader, in_scanner
from apps.gateway import hub, limits, metrics
from apps.gateway.questions import filter_in, is_yes, number_in

logger = logging.getLogger(__name__)

LONGEST_WAIT = 25.0
MOST_EVENTS = 1_000
POLL_AGAIN_SECONDS = 2
"""What a short poll that found nothing is told to wait."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for in the address."""

    topic: str
    after: int
    epoch: str | None
    wait: float
    limit: int
    before: int | None
    filter: Filter | None
    only_places: bool

    @property
    def shape(self) -> str:
        """What else an answer depends on, in a few characters that are the same in every process."""
        if self.filter is None:
            return ""
        wheres = sorted((name, sorted(values)) for name, values in self.filter.where.items())
        asked = (sorted(self.filter.types), wheres, self.filter.match, self.only_places)
        return f".{sha256(repr(asked).encode()).hexdigest()[:12]}"


async def read_events(request: HttpRequest) -> HttpResponse:
    """`GET /api/v1/events/?topic=&after=&epoch=&wait=&limit=` or `&before=`: a page of the log.

    `{topic, epoch, head, floor, reset, events}`. `wait` (seconds, at most 25) is a long poll. Without news: 304 when
    the ETag is known, else an empty page. With `type=`, `where.<field>=` or `match=`: only what matches, and
    `scanned_to`, from which one goes on.
    """
    try:
        if request.method not in ("GET", "HEAD"):
            return _not_allowed()
        return await _answer(request)
    except Refusal as refusal:
        return refused(refusal)
    except (OperationalError, InterfaceError) as problem:
        logger.warning("A page could not be read: %s", problem)
        return refused(Unavailable("The log cannot be read now; ask again.", retry_after=1.0))


def refused(refusal: Refusal) -> HttpResponse:
    """A refusal as HTTP: its status, and `{"error": {code, message}}`."""
    metrics.refusals.labels(refusal.code).inc()
    body = wire.dumps({"error": refusal.as_data()})
    response = HttpResponse(body, status=refusal.status, content_type="application/json")
    if refusal.retry_after is not None:
        response["Retry-After"] = str(max(1, round(refusal.retry_after)))
    return response


def _not_allowed() -> HttpResponse:
    """As the other doors of REST say it."""
    body = wire.dumps({"error": {"code": CODES[405], "message": "Here one can only read: GET."}})
    return HttpResponse(body, status=405, content_type="application/json", headers={"Allow": "GET"})


async def _answer(request: HttpRequest) -> HttpResponse:
    asked = _question(request)
    name, after, epoch = asked.topic, asked.after, asked.epoch
    actor = await in_reader(_reader_of, request, name)
    limits.count_read(actor.sender, is_filtered=asked.filter is not None)
    if asked.before is not None:
        return _page(await in_reader(_body, log.read_before, name, asked.before, asked.limit))
    at = await in_reader(store.position, name)
    if asked.wait and not log.lost(at, after, epoch) and at.seq <= after:
        with limits.place_to_wait(actor.sender):
            await (await hub.current()).wait(name, after, asked.wait)
        await in_reader(_reader_of, request, name)  # Rights may have ended meanwhile.
        at = await in_reader(store.position, name)
    tag = f'"{at.epoch}.{at.seq}.{after}{asked.shape}"'
    if not log.lost(at, after, epoch) and at.seq == after and _knows(request, tag):
        response: HttpResponse = HttpResponseNotModified()
    elif asked.filter:
        how = (asked.filter, asked.limit, asked.only_places)
        with limits.place_to_look(actor.sender):
            response = _page(await in_scanner(_body, log.read_filtered, name, after, epoch, *how))
    else:
        response = _page(await in_reader(_body, log.read_after, name, after, epoch, asked.limit))
    response["ETag"] = tag
    if not asked.wait and at.seq == after:
        response["Retry-After"] = str(POLL_AGAIN_SECONDS)
    return response


def _question(request: HttpRequest) -> Question:
    query = request.GET
    if not (topic := query.get("topic", "")):
        raise Invalid("Which `topic`?")
    asked = Question(
        topic=topic,
        after=number_in(query, "after", 0),
        epoch=query.get("epoch") or None,
        wait=min(float(number_in(query, "wait", 0)), LONGEST_WAIT),
        limit=min(max(1, number_in(query, "limit", log.PAGE)), MOST_EVENTS),
        before=number_in(query, "before", 0) if "before" in query else None,
        filter=filter_in(query),
        only_places=is_yes(query, "places"),
    )
    if asked.filter and asked.before is not None:
        raise Invalid("A filter looks forwards: use it with `after`, not with `before`.")
    if asked.only_places and not asked.filter:
        raise Invalid("`places` of what? Say `match`, `type` or `where.<field>`.")
    return asked


def _knows(request: HttpRequest, tag: str) -> bool:
    """Whether the client has the answer with this tag. Who compresses on the way makes a weak one of it: `W/"…"`."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or tag in (one.removeprefix("W/") for one in known)


def _reader_of(request: HttpRequest, name: str) -> Actor:
    """Who may read this topic. Raises Unauthenticated, or NotFound for a stranger."""
    actor = actor_of_cookie_or_token(request)
    if not Topic.parse(name).can_read(actor):
        raise NotFound(f"There is no topic {name}.")
    return actor


def actor_of_cookie_or_token(request: HttpRequest) -> Actor:
    """Reading only: a cookie needs no proof that our own page sent it."""
    if token := bearer_of(request):
        return actor_from_bearer(token)
    if request.COOKIES.get(settings.SESSION_COOKIE_NAME):
        return actor_from_session(request.COOKIES)
    raise Unauthenticated()


def _body(read: Callable[..., Page], *args: Any) -> bytes:
    """A page as it is answered, written by the thread that reads it."""
    page, events = log.encoded(read, *args)
    return wire.page(page.topic, page.epoch, page.head, page.floor, page.reset, events, page.scanned_to, page.places)


def _page(body: bytes) -> HttpResponse:
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "private, no-cache"})
