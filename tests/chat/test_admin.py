import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(django_user_model):
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root"))
    return client


def test_what_was_said_can_be_searched_and_not_changed(admin, alice, room, say):
    message = say(alice, "message", room, content="the needle")["data"]["message_id"]
    assert "the needle" in admin.get("/admin/chat/message/?q=needle").text
    assert admin.get("/admin/chat/message/add/").status_code == 403
    assert admin.post(f"/admin/chat/message/{message}/delete/", {"post": "yes"}).status_code == 403
    assert "the needle" in admin.get(f"/admin/chat/message/{message}/change/").text


def test_sessions_are_listed_with_their_people(admin, room):
    assert "Release" in admin.get("/admin/chat/chatsession/").text
    assert admin.get(f"/admin/chat/chatsession/{room.pk}/change/").status_code == 200
