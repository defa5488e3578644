"""Who did what: one row and one JSON line for each fact. Nothing fails because it could not be written down."""

import logging
from datetime import datetime
from typing import Any

import orjson
import structlog
from django.db import transaction
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import AuditEntry

logger = logging.getLogger(__name__)


def _as_text(_: Any, __: str, line: Any) -> str:
    return str(line, "utf-8")


_lines: Any = structlog.wrap_logger(
    logging.getLogger("signalbox.audit"),
    processors=[
        structlog.processors.JSONRenderer(serializer=orjson.dumps, default=str),
        _as_text,
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


def record(actor: Actor, action: str, target: str = "", **detail: Any) -> AuditEntry | None:
    """Write down that `actor` did `action` ("key.revoked") to `target`; None if the row could not be written.

    Inside a transaction row and line share its fate, so what was rolled back is not on record.
    """
    entry = AuditEntry(
        at=timezone.now(), sender=actor.sender, name=actor.name[:200], action=action, target=target[:200], detail=detail
    )
    written = _written(entry)
    transaction.on_commit(lambda: _write_line(entry), robust=True)
    return entry if written else None


def forget(before: datetime, most: int) -> int:
    """Delete up to `most` of the oldest rows from before a time; how many went. The lines are not ours to cut."""
    oldest = AuditEntry.objects.filter(at__lt=before).order_by("at")[:most]
    gone, _ = AuditEntry.objects.filter(pk__in=oldest.values("pk")).delete()
    return gone


def _written(entry: AuditEntry) -> bool:
    try:
        with transaction.atomic():  # inside another transaction a savepoint: a failure here must not break that one
            entry.save(force_insert=True)
    except Exception:
        logger.exception("Could not write the audit entry %r.", str(entry))
        return False
    return True


def _write_line(entry: AuditEntry) -> None:
    try:
        _lines.info(
            entry.action,
            at=entry.at.isoformat(timespec="milliseconds"),
            sender=entry.sender,
            name=entry.name,
            target=entry.target,
            detail=entry.detail,
        )
    except Exception:
        logger.exception("Could not write the audit line %r.", str(entry))
