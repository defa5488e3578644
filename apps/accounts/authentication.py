"""From credentials to an Actor, and whether its credentials still hold. Synchronous; a "no" is Unauthenticated."""

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.db import DatabaseError
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from apps.accounts import tickets
from apps.accounts.actors import Actor
from apps.accounts.models import ApiKey, TokenFamily, User
from apps.accounts.refusals import Unauthenticated
from apps.accounts.writes import write_soon

FAMILY_CLAIM = "family"
LAST_USED_EVERY = timedelta(minutes=1)
LONGEST_CREDENTIALS = 4096  # characters

logger = logging.getLogger(__name__)

_being_noted: set[str] = set()
"""Keys whose use waits to be written down."""


def actor_from_bearer(token: str) -> Actor:
    """The holder of an API key (`prefix.secret`) or of a JWT access token (`header.payload.signature`)."""
    if len(token) > LONGEST_CREDENTIALS or not token.isascii() or not token.isprintable():
        raise Unauthenticated("These credentials are not readable.")
    match token.count("."):
        case 1:
            return _actor_from_key(token)
        case 2:
            return _actor_from_access_token(token)
        case _:
            raise Unauthenticated("This is neither an access token nor an API key.")


def actor_from_session(session: str | Mapping[str, str]) -> Actor:
    """The person whose browser has this session key, or these cookies."""
    key = session if isinstance(session, str) else session.get(settings.SESSION_COOKIE_NAME, "")
    user = _user_of_session(key)
    if user is None:
        raise Unauthenticated("There is no such session, or it has ended.")
    return Actor(user=user, session_key=key)


def actor_from_ticket(ticket: str) -> Actor:
    """The one to whom this one-time ticket was given; the ticket is used up, whatever the answer is."""
    actor = renewed(tickets.redeem(ticket))
    if actor is None:
        raise Unauthenticated("The login behind this ticket has ended.")
    return actor


def renewed(actor: Actor) -> Actor | None:
    """The actor as it would come in now with the same credentials, with its rights of now; None if it could not."""
    if actor.expires_at is not None and actor.expires_at <= time.time():
        return None
    if actor.key is not None:
        key = ApiKey.objects.filter(pk=actor.key.pk).first()
        return replace(actor, key=key) if key is not None and key.is_usable else None
    if actor.user is None:
        return actor
    if actor.session_key:
        user = _user_of_session(actor.session_key)
    elif actor.family:
        user = _user_of_family(actor.family)
    else:
        user = User.objects.filter(pk=actor.user.pk, is_active=True).first()
    if user is None or user.pk != actor.user.pk:
        return None
    if actor.password_mark and not _has_mark(user, actor.password_mark):
        return None
    return replace(actor, user=user)


def claims_hold(claims: Mapping[str, Any]) -> User | None:
    """The active user of a token's claims, if its login has not ended and the password is the same."""
    if family := claims.get(FAMILY_CLAIM):
        user = _user_of_family(str(family))
        if user is not None and str(user.pk) != str(claims.get(api_settings.USER_ID_CLAIM)):
            return None
    else:
        user = _user_by_id(claims.get(api_settings.USER_ID_CLAIM))
    if user is None:
        return None
    if api_settings.CHECK_REVOKE_TOKEN and not _has_mark(user, str(claims.get(api_settings.REVOKE_TOKEN_CLAIM, ""))):
        return None
    return user


def _actor_from_key(plaintext: str) -> Actor:
    prefix, _, _ = plaintext.partition(".")
    key = ApiKey.objects.filter(prefix=prefix).first()
    if key is None or not key.is_usable or not key.is_valid(plaintext):
        raise Unauthenticated("There is no such API key, or it was revoked or has expired.")
    _note_use(key)
    return Actor(key=key, expires_at=key.expiry_date.timestamp() if key.expiry_date else None)


def _note_use(key: ApiKey) -> None:
    """Remember that the key is in use, at most once a minute: a write for each request would be too dear.

    Nobody waits for that: a busy database must keep no agent out, and hold up none of the threads that only read.
    """
    now = timezone.now()
    if key.pk in _being_noted or (key.last_used_at is not None and now - key.last_used_at < LAST_USED_EVERY):
        return
    _being_noted.add(key.pk)
    write_soon(_write_use, key.pk, now)


def _write_use(prefix: str, at: datetime) -> None:
    try:
        ApiKey.objects.filter(pk=prefix).update(last_used_at=at)
    except DatabaseError:
        logger.warning("Could not note the use of API key %s.", prefix, exc_info=True)
    finally:
        _being_noted.discard(prefix)


def _actor_from_access_token(encoded: str) -> Actor:
    try:
        claims = AccessToken(cast(Any, encoded)).payload
    except TokenError as error:
        raise Unauthenticated("The access token is not valid, or has expired.") from error
    user = claims_hold(claims)
    if user is None:
        raise Unauthenticated("The login behind this token has ended.")
    return Actor(
        user=user,
        expires_at=float(claims["exp"]),
        family=str(claims.get(FAMILY_CLAIM, "")),
        password_mark=str(claims.get(api_settings.REVOKE_TOKEN_CLAIM, "")),
    )


def _user_of_session(session_key: str) -> User | None:
    """What `django.contrib.auth.get_user` answers, without its writes: a socket cannot hand out a new cookie."""
    if not session_key or len(session_key) > 40 or not session_key.isalnum():
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    backend_path = session.get(BACKEND_SESSION_KEY)
    if SESSION_KEY not in session or backend_path not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = load_backend(backend_path).get_user(User._meta.pk.to_python(session[SESSION_KEY]))
    if user is None:
        return None
    mark = session.get(HASH_SESSION_KEY) or ""
    valid_marks = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return user if any(constant_time_compare(mark, valid) for valid in valid_marks) else None


def _user_of_family(family: str) -> User | None:
    try:
        family_id = UUID(family)
    except ValueError:
        return None
    login = TokenFamily.objects.filter(id=family_id, ended_at=None, user__is_active=True).select_related("user").first()
    return login.user if login else None


def _user_by_id(user_id: object) -> User | None:
    try:
        return User.objects.filter(pk=int(str(user_id)), is_active=True).first()
    except (ValueError, OverflowError):
        return None


def _has_mark(user: User, mark: str) -> bool:
    return constant_time_compare(get_md5_hash_password(user.password), mark)
