"""When a browser logs out, through whichever page (Django's signal is its only hook for that), or never comes back."""

from datetime import datetime
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.models import Session
from django.dispatch import receiver
from django.http import HttpRequest

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.accounts.revocations import revoked


@receiver(user_logged_out, dispatch_uid="accounts.end_session")
def end_session(sender: Any, request: HttpRequest, user: User | None, **_: Any) -> None:
    """End the session and tell of it. Django deletes it only after this; a socket asking now must not find it."""
    session_key = request.session.session_key
    if user is None or not session_key:
        return
    request.session.delete(session_key)
    audit.record(Actor(user=user), "logout")
    revoked(session_key=session_key)


def forget(before: datetime, most: int) -> int:
    """Delete up to `most` of the sessions that expired before a time; how many went."""
    expired = Session.objects.filter(expire_date__lt=before).order_by("expire_date")[:most]
    gone, _ = Session.objects.filter(pk__in=list(expired.values_list("pk", flat=True))).delete()
    return gone
