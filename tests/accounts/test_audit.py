import json
import logging
from uuid import uuid4

import pytest
from django.db import transaction

from apps.accounts import audit
from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.models import AuditEntry


@pytest.fixture
def lines():
    """The audit lines written so far."""
    written: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: written.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("signalbox.audit")
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


def test_it_writes_a_row_and_a_line(alice, lines, committing):
    number = uuid4()
    with committing():
        entry = audit.record(Actor(user=alice), "tea.made", "pot", cups=2, number=number)
    entry.refresh_from_db()
    assert (entry.sender, entry.name, entry.action, entry.target) == (f"user:{alice.pk}", "alice", "tea.made", "pot")
    assert entry.detail == {"cups": 2, "number": str(number)}
    line = json.loads(lines[0])
    assert line["event"] == "tea.made" and line["sender"] == entry.sender and line["detail"] == entry.detail


def test_what_is_rolled_back_is_not_on_record(alice, lines, committing):
    with committing(), pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.record(Actor(user=alice), "tea.made")
        raise ZeroDivisionError
    assert not AuditEntry.objects.exists()
    assert not lines


def test_a_row_that_cannot_be_written_hurts_nobody(db, caplog):
    with transaction.atomic():
        assert audit.record(SYSTEM, "tea.made", cups={1, 2}) is None
        AuditEntry.objects.create(sender="system", name="system", action="life.went_on")
    assert AuditEntry.objects.get().action == "life.went_on"
    assert "Could not write the audit entry" in caplog.text


def test_a_line_that_cannot_be_written_hurts_nobody(alice, monkeypatch, committing, caplog):
    def disk_is_full(record: logging.LogRecord) -> None:
        raise OSError("No space left on device")

    handler = logging.Handler()
    handler.emit = disk_is_full  # type: ignore[method-assign]
    logger = logging.getLogger("signalbox.audit")
    monkeypatch.setattr(logger, "handlers", [handler])
    with committing():
        assert audit.record(Actor(user=alice), "tea.made")
    assert "Could not write the audit line" in caplog.text


def test_a_line_stays_a_line(alice, lines, committing):
    with committing():
        audit.record(Actor(user=alice), "tea.made", "two\nlines", note="\r\n{forged}")
    assert "\n" not in lines[0] and "\r" not in lines[0]


def test_long_names_are_cut(alice, committing):
    alice.first_name, alice.last_name = "a" * 150, "b" * 150
    assert audit.record(Actor(user=alice), "tea.made", "x" * 500) is not None
