"""Where the pages go on from."""

import pytest
from django.test import Client

from apps.events import store

pytestmark = pytest.mark.django_db


def test_a_page_follows_what_everybody_and_what_its_reader_is_told_from_its_own_cursor_on(sam, alice, bob, say):
    say(sam, "notice:broadcast", "system", message="yesterday's")
    client = Client()
    client.force_login(alice)
    page = client.get("/agents/").text
    epoch = store.position("system").epoch
    assert f'data-topic="system" data-epoch="{epoch}" data-seq="1"' in page
    assert f'data-topic="user.{alice.pk}" data-epoch="" data-seq="0"' in page
    assert f" system user.{alice.pk}" in page
    assert f"user.{bob.pk}" not in page
    assert "yesterday" not in page


def test_strangers_pages_follow_nothing():
    for path in ("/", "/login/"):
        assert "data-topic" not in Client().get(path).text
