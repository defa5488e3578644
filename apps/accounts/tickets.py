"""One-time tickets: how a URL can open a socket without carrying a token."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Ticket
from apps.accounts.refusals import Unauthenticated


def issue(actor: Actor) -> str:
    """A new ticket for this actor, good for SOCKET_TICKET_SECONDS; only its hash is kept."""
    now = timezone.now()
    Ticket.objects.filter(expires_at__lt=now).delete()
    plaintext = secrets.token_urlsafe(32)
    Ticket.objects.create(
        digest=_digest(plaintext),
        expires_at=now + timedelta(seconds=settings.SOCKET_TICKET_SECONDS),
        user=actor.user,
        key=actor.key,
        session_key=actor.session_key,
        family=actor.family,
        password_mark=actor.password_mark,
        credentials_end=actor.expires_at,
    )
    return plaintext


def redeem(plaintext: str) -> Actor:
    """The actor to whom the ticket was given; of several who try at once, one gets it."""
    ticket = Ticket.objects.filter(digest=_digest(plaintext)).select_related("user", "key").first()
    # The row count of one DELETE decides, so no lock is needed and two processes cannot both win.
    used_up, _ = Ticket.objects.filter(digest=_digest(plaintext)).delete()
    if ticket is None or not used_up or ticket.expires_at <= timezone.now():
        raise Unauthenticated("There is no such ticket, or it was used or has expired.")
    return Actor(
        user=ticket.user,
        key=ticket.key,
        expires_at=ticket.credentials_end,
        session_key=ticket.session_key,
        family=ticket.family,
        password_mark=ticket.password_mark,
    )


def _digest(plaintext: str) -> str:
    return hashlib.sha256(plaintext.encode("utf-8", "surrogatepass")).hexdigest()
