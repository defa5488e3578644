"""The life of a program's login: access and refresh tokens, one family from the password to the logout."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken, UntypedToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from apps.accounts import audit
from apps.accounts.actors import Actor
from apps.accounts.authentication import FAMILY_CLAIM, claims_hold
from apps.accounts.models import TokenFamily, User
from apps.accounts.refusals import Unauthenticated
from apps.accounts.revocations import revoked

# A client that lost the answer asks again at once. One that shows a used token later has a copy of it.
HONEST_RETRY = timedelta(seconds=30)


class TokenPair(NamedTuple):
    access: str
    refresh: str


@transaction.atomic
def issue(user: User) -> TokenPair:
    """Begin a new family for a user whose password was right."""
    family = TokenFamily.objects.create(user=user)
    refresh = RefreshToken()
    refresh[api_settings.USER_ID_CLAIM] = str(user.pk)
    refresh[FAMILY_CLAIM] = family.id.hex
    if api_settings.CHECK_REVOKE_TOKEN:
        refresh[api_settings.REVOKE_TOKEN_CLAIM] = get_md5_hash_password(user.password)
    refresh.outstand()
    return TokenPair(access=str(refresh.access_token), refresh=str(refresh))


def rotate(encoded: str) -> TokenPair:
    """A new pair for a refresh token, which is used up by this; Unauthenticated if it does not hold."""
    try:
        refresh = _refresh_token(encoded)
    except Unauthenticated:
        _end_family_if_stolen(encoded)
        raise
    with transaction.atomic():
        if claims_hold(refresh.payload) is None:
            raise Unauthenticated("The login behind this token has ended.")
        _, used_up_now = refresh.blacklist()
        if not used_up_now:
            raise Unauthenticated("The refresh token was used already.")
        refresh.set_jti()
        refresh.set_exp()
        refresh.set_iat()
        refresh.outstand()
    return TokenPair(access=str(refresh.access_token), refresh=str(refresh))


@transaction.atomic
def end(encoded: str) -> None:
    """Log out: this refresh token and everything of its family ends now.

    Whoever lost the answer to a renewal has only a token that was used by it, and may log out with that as well.
    """
    refresh = _refresh_token(encoded, _MaybeUsed)
    _, used_up_now = refresh.blacklist()
    family = refresh.get(FAMILY_CLAIM)
    ended_now = bool(family) and _end_family(family, action="logout")
    if not used_up_now and not ended_now:
        raise Unauthenticated("The login behind this token has ended.")


class _MaybeUsed(RefreshToken):
    """A refresh token that holds also when it was used."""

    def check_blacklist(self) -> None:
        pass


def forget(before: datetime, most: int) -> int:
    """Delete refresh tokens that expired before a time, up to `most` of them, and the logins that ended by then.

    How many rows that were. Where a login is missing, its tokens are as invalid as if it had ended.
    """
    expired = OutstandingToken.objects.filter(expires_at__lt=before).order_by("pk").select_related("blacklistedtoken")
    some = list(expired[:most])
    # A login goes on from a used token to the next one; with one that nobody used it ends.
    died = [family for row in some if not hasattr(row, "blacklistedtoken") and (family := _family_of(row.token))]
    logins = TokenFamily.objects.filter(Q(pk__in=died) | Q(pk__in=_ended(before, most)))
    gone, _ = OutstandingToken.objects.filter(pk__in=[row.pk for row in some]).delete()
    return gone + logins.delete()[0]


def _ended(before: datetime, most: int) -> list[UUID]:
    return list(TokenFamily.objects.filter(ended_at__lt=before).values_list("pk", flat=True)[:most])


def _family_of(encoded: str) -> UUID | None:
    """The login to which this token, which has expired, belonged."""
    try:
        return UUID(RefreshToken(cast(Any, encoded), verify=False)[FAMILY_CLAIM])
    except (TokenError, KeyError, ValueError):
        return None


def _refresh_token(encoded: str, kind: type[RefreshToken] = RefreshToken) -> Any:
    try:
        return kind(cast(Any, encoded))
    except TokenError as error:
        raise Unauthenticated("The refresh token is not valid, was used, or has expired.") from error


def _end_family(family: str, *, action: str) -> bool:
    """Whether that ended it; it may have ended before."""
    login = TokenFamily.objects.filter(id=UUID(family), ended_at=None).select_related("user").first()
    if login is None:
        return False
    login.ended_at = timezone.now()
    login.save(update_fields=["ended_at"])
    audit.record(Actor(user=login.user), action, family=family)
    revoked(family=family)
    return True


@transaction.atomic
def _end_family_if_stolen(encoded: str) -> None:
    try:
        token = UntypedToken(cast(Any, encoded))
    except TokenError:
        return
    used = BlacklistedToken.objects.filter(token__jti=token[api_settings.JTI_CLAIM]).first()
    family = token.get(FAMILY_CLAIM)
    if used is not None and family and timezone.now() - used.blacklisted_at > HONEST_RETRY:
        _end_family(family, action="login.ended_after_token_reuse")
