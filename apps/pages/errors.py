"""What went wrong in people's browsers, written to the server's log where REPORT_CLIENT_ERRORS is on."""

import logging
import time
from collections import OrderedDict
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.refusals import NotFound, TooFast
from apps.accounts.rest import IsKnown, actor_of

logger = logging.getLogger("signalbox.browser")

PER_MINUTE = 30
"""Errors of one person that are written down; the rest are counted only by their browser."""
MOST_PEOPLE = 10_000

_told: OrderedDict[str, tuple[float, int]] = OrderedDict()


class ErrorSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["error", "rejection", "policy", "console"])
    message = serializers.CharField(max_length=2000, allow_blank=True)
    where = serializers.CharField(max_length=2000, allow_blank=True, default="")
    stack = serializers.CharField(max_length=2000, allow_blank=True, default="")


class ReportSerializer(serializers.Serializer[Any]):
    page = serializers.CharField(max_length=500)
    reports = serializers.ListField(child=ErrorSerializer(), max_length=20)


class ClientErrorsView(APIView):
    """`POST /api/v1/client-errors/` {page, reports: [{kind, message, where, stack}]}: 204, or 429 with the wait."""

    permission_classes = (IsKnown,)
    serializer_class = ReportSerializer

    @extend_schema(request=ReportSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        if not settings.REPORT_CLIENT_ERRORS:
            raise NotFound("This server does not want to know.")
        actor = actor_of(request)
        report = ReportSerializer(data=request.data)
        report.is_valid(raise_exception=True)
        told = report.validated_data
        _spend(actor.sender, len(told["reports"]))
        for error in told["reports"]:
            # repr: what a browser sends must not begin a line of its own.
            words = " ".join(f"{name}={error[name]!r}" for name in ("message", "where", "stack") if error[name])
            logger.warning("%s of %s on %r: %s", error["kind"], actor.sender, told["page"], words)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _spend(sender: str, count: int) -> None:
    """Raises TooFast when this person's minute is full."""
    now = time.monotonic()
    began, told = _told.pop(sender, (now, 0))
    if now - began >= 60:
        began, told = now, 0
    _told[sender] = (began, told + count)
    while len(_told) > MOST_PEOPLE:
        _told.popitem(last=False)
    if told + count > PER_MINUTE:
        raise TooFast("That is enough for this minute.", retry_after=round(60 - (now - began), 1))
