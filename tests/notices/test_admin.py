import pytest
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.notices.models import Notice
from tests.notices.conftest import told

pytestmark = pytest.mark.django_db

ADD = "/admin/notices/notice/add/"


@pytest.fixture
def admin(sam):
    client = Client()
    client.force_login(sam)
    return client


def test_staff_sends_to_everybody(admin, sam):
    assert "Left empty: everybody" in admin.get(ADD).text
    answer = admin.post(ADD, {"recipient": "", "level": "warning", "message": "Back at ten", "link": ""})
    assert answer.status_code == 302
    notice = Notice.objects.get()
    assert (notice.sent_by, notice.sender_name) == (sam, "sam")
    said = {"notice_id": str(notice.pk), "message": "Back at ten", "level": "warning", "link": None}
    assert told("system") == [("system", said)]
    entry = AuditEntry.objects.get()
    assert (entry.name, entry.action, entry.target) == ("sam", "notice:broadcast", "system")


def test_staff_sends_to_one_person(admin, alice):
    admin.post(ADD, {"recipient": alice.pk, "level": "info", "message": "For you", "link": "/tasks/"})
    assert [data["message"] for _, data in told(f"user.{alice.pk}")] == ["For you"]
    assert told("system") == []
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target) == ("notice:send", f"user.{alice.pk}")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"message": ""}, "This field is required."),
        ({"level": "loud"}, "Select a valid choice."),
        ({"link": "javascript:alert(1)"}, "must be a page of this server"),
        ({"message": "x" * 1001}, "at most 1000 characters"),
        ({"recipient": "999999"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_in_the_form_and_not_sent(admin, wrong, words):
    answer = admin.post(ADD, {"recipient": "", "level": "info", "message": "Hello", "link": ""} | wrong)
    assert answer.status_code == 200
    assert words in answer.text
    assert not Notice.objects.exists()


def test_what_was_sent_can_be_searched_and_not_changed(admin):
    admin.post(ADD, {"recipient": "", "level": "info", "message": "the needle <b>", "link": ""})
    notice = Notice.objects.get()
    page = f"/admin/notices/notice/{notice.pk}/"
    assert "the needle &lt;b&gt;" in admin.get("/admin/notices/notice/?q=needle").text
    assert "the needle" not in admin.get("/admin/notices/notice/?q=haystack").text
    assert "the needle" in admin.get(f"{page}change/").text
    assert admin.post(f"{page}change/", {"level": "error", "message": "another"}).status_code == 403
    assert admin.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert [data["message"] for _, data in told("system")] == ["the needle <b>"]


def test_who_is_not_staff_gets_no_form(alice):
    client = Client()
    client.force_login(alice)
    assert client.get(ADD).status_code == 302
    assert client.post(ADD, {"level": "info", "message": "Hello"}).status_code == 302
    assert not Notice.objects.exists()
