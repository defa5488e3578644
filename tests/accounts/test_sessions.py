"""Browsers that stay away leave a session behind."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from apps.accounts import sessions


def test_expired_sessions_are_forgotten_in_portions(alice, browser):
    here = browser(alice)
    for _ in range(3):
        browser(alice)
    away = Session.objects.exclude(pk=here.session.session_key)
    away.update(expire_date=timezone.now() - timedelta(days=2))
    yesterday = timezone.now() - timedelta(days=1)
    assert [sessions.forget(yesterday, 2) for _ in range(3)] == [2, 1, 0]
    assert here.get("/api/v1/teams/").status_code == 200
