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


def test_nobody_is_taken_out_of_a_session_without_being_told(admin, bob, room, say):
    page = admin.get(f"/admin/chat/chatsession/{room.pk}/change/").text
    assert "bob" in page
    assert "memberships-0-DELETE" not in page
    there = dict(enumerate(room.memberships.all()))
    form = {f"memberships-{name}_FORMS": len(there) for name in ("TOTAL", "INITIAL")}
    for number, membership in there.items():
        one = {"id": membership.pk, "session": room.pk, "user": membership.user_id, "DELETE": "on"}
        form |= {f"memberships-{number}-{name}": value for name, value in one.items()}
    room_as_is = {"team": room.team_id, "title": "Release 2", "created_by": room.created_by_id}
    assert admin.post(f"/admin/chat/chatsession/{room.pk}/change/", room_as_is | form).status_code == 302
    room.refresh_from_db()
    assert room.title == "Release 2"
    assert room.memberships.count() == 2


def test_sessions_are_listed_with_their_people(admin, room):
    assert "Release" in admin.get("/admin/chat/chatsession/").text
    assert admin.get(f"/admin/chat/chatsession/{room.pk}/change/").status_code == 200
