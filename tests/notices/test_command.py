"""`manage.py announce`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry
from apps.notices.models import Notice
from tests.notices.conftest import told

pytestmark = pytest.mark.django_db


def announce(*words):
    out = StringIO()
    call_command("announce", *words, stdout=out)
    return out.getvalue()


def test_it_tells_everybody():
    assert announce("Back at ten", "--level", "warning", "--link", "/tasks/") == "Sent to everybody.\n"
    [(_, said)] = told("system")
    assert (said["message"], said["level"], said["link"]) == ("Back at ten", "warning", "/tasks/")
    assert Notice.objects.get().sender_name == "system"
    entry = AuditEntry.objects.get()
    assert (entry.sender, entry.action, entry.target) == ("system", "notice:broadcast", "system")


def test_it_tells_one_person(alice):
    assert announce("For you", "--to", "alice") == "Sent to alice.\n"
    assert [data["message"] for _, data in told(f"user.{alice.pk}")] == ["For you"]
    assert told("system") == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([" "], "blank"),
        (["x" * 1001], "1000 characters"),
        (["Hello", "--level", "loud"], "invalid choice: 'loud'"),
        (["Hello", "--link", "javascript:alert(1)"], "must be a page of this server"),
        (["Hello", "--to", "nobody"], 'There is no user "nobody"'),
        (["--level", "info"], "TEXT"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_told(words, reason):
    with pytest.raises(CommandError, match=reason):
        announce(*words)
    assert told("system") == []
