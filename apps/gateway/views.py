"""The gateway's own pages for programs: frames over HTTP, health, stats, connections, metrics."""

import json
import logging
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.actors import Actor
from apps.accounts.refusals import Invalid, Refusal, TooLarge, Unauthenticated, Unavailable
from apps.accounts.rest import IsKnown, actor_of, bearer_of
from apps.events import dispatch, log
from apps.gateway import hub, metrics, registry
from apps.gateway.limits import allowance_over_http
from apps.gateway.models import Connection
from apps.gateway.protocol import COULD_NOT, id_of

logger = logging.getLogger(__name__)

FRAMES_AT_ONCE = 100


class FramesView(APIView):
    """Command frames over HTTP, the same as on the socket."""

    permission_classes = (IsKnown,)

    @extend_schema(request={"application/json": dict}, responses={200: dict})
    def post(self, request: Request) -> Response:
        """One frame: its ack, or the error's status. A list: a list of answers, in order."""
        actor = actor_of(request)
        if not isinstance(request.data, list):
            return Response(_ack(request.data, _perform(actor, request.data)))
        if len(request.data) > FRAMES_AT_ONCE:
            raise Invalid(f"At most {FRAMES_AT_ONCE} frames at once.")
        answers = []
        for frame in request.data:
            try:
                answers.append(_ack(frame, _perform(actor, frame)))
            except Refusal as refusal:
                answers.append({"type": "error", "id": id_of(frame), "data": refusal.as_data()})
        return Response(answers)


class StatsView(APIView):
    """What this process counts."""

    permission_classes = (IsKnown,)

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        running = hub.running()
        return Response(
            {
                "stats": {
                    "total_connections": int(metrics.connections_total._value.get()),
                    "current_connections": len(registry.live),
                    "messages_sent": metrics.delivered.events,
                    "messages_received": int(metrics.frames_received._value.get()),
                    "frames_sent": metrics.delivered.frames,
                    "topics": running.topics if running else 0,
                    "hub_lag_seconds": round(running.lag, 4) if running else 0.0,
                    "event_reads": sum(log.reads.values()),
                    "event_reads_at_most": max((n for topic, n in log.reads.items() if topic != log.OTHERS), default=0),
                }
            }
        )


class ConnectionsView(APIView):
    """Live connections of all processes, for staff."""

    permission_classes = (IsAdminUser,)

    @extend_schema(responses={200: dict})
    def get(self, request: Request) -> Response:
        rows = Connection.objects.select_related("process")[:1000]
        return Response({"connections": [_described(row) for row in rows], "total": Connection.objects.count()})


def live(request: HttpRequest) -> JsonResponse:
    """Liveness: this process answers."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Readiness: database, hub and its lag. 503 if one of them fails."""
    checks: dict[str, Any] = {}
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
        checks["database"] = "ok"
    except Exception as problem:
        checks["database"] = f"failed: {type(problem).__name__}"
    running = hub.running()
    checks["hub"] = "ok" if running else "idle"
    checks["hub_lag_seconds"] = round(running.lag, 4) if running else 0.0
    checks["channel_layer"] = "ok" if hub.hears() else "failed"
    failed = [name for name, state in checks.items() if str(state).startswith("failed")]
    body = {"status": "failed" if failed else "ok", "checks": checks, "connections": len(registry.live)}
    return JsonResponse(body, status=503 if failed else 200)


def prometheus(request: HttpRequest) -> HttpResponse:
    """`/metrics`, with METRICS_TOKEN as bearer token, or for staff."""
    if not _may_measure(request):
        return HttpResponse(status=404)
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _may_measure(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    if token and constant_time_compare(bearer_of(request) or "", token):
        return True
    try:
        return actor_of(request).is_staff
    except Unauthenticated:
        return False


def _perform(actor: Actor, frame: Any) -> dict[str, Any]:
    """Carry out one frame. One that fails is answered like on the socket, and takes no other with it."""
    limits, whose = settings.LIMITS, "agent_" if actor.is_agent else ""
    allowance = allowance_over_http(actor.sender, limits[f"{whose}frames_per_second"])
    allowance.spend()
    most = limits[f"{whose}frame_bytes"]
    if (size := len(json.dumps(frame, ensure_ascii=False).encode(errors="surrogatepass"))) > most:
        raise TooLarge(f"A frame may have {most} bytes, not {size}.")
    try:
        call = dispatch.understand(actor, frame)
        allowance.spend_on(call.frame.TYPE, call.frame.RATE)
        return dispatch.perform_call_sync(call)
    except Refusal:
        raise
    except Exception as problem:
        logger.exception("A frame of %s failed", actor.sender)
        raise Unavailable(COULD_NOT) from problem


def _ack(frame: Any, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": "ack", "id": id_of(frame), "data": data}


def _described(row: Connection) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "sender": row.sender,
        "address": row.address,
        "client": row.client,
        "since": row.since,
        "process": str(row.process),
    }
