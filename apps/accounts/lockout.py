"""Slows down guessing: after LOGIN_ATTEMPTS wrong passwords for one name from one address, that pair has to wait.

It counts in the database, so it holds across processes. An attempt counts from the moment it begins: guessing
in parallel gains nothing.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import LoginAttempt
from apps.accounts.refusals import TooFast


def begin(username: str, address: str) -> int:
    """Count this attempt and return how many are counted now; TooFast if it is one too many."""
    attempt = LoginAttempt.objects.create(username=username[:150], address=address)
    counted = LoginAttempt.objects.filter(
        username=attempt.username, address=address, at__gt=_window_start(attempt.at)
    ).order_by("at")
    times = list(counted.values_list("at", flat=True))
    if len(times) <= settings.LOGIN_ATTEMPTS:
        return len(times)
    attempt.delete()
    wait = max(1.0, (times[0] - _window_start(attempt.at)).total_seconds())
    raise TooFast(f"Too many wrong passwords. Wait {_in_words(wait)}, then try again.", retry_after=round(wait))


def succeeded(username: str, address: str) -> None:
    """Forget what was counted for this name and address."""
    LoginAttempt.objects.filter(
        Q(username=username[:150], address=address) | Q(at__lt=_window_start(timezone.now()))
    ).delete()


def failed() -> None:
    """Let the attempt count, and forget those that no longer do."""
    LoginAttempt.objects.filter(at__lt=_window_start(timezone.now())).delete()


def address_of(request: HttpRequest | None) -> str:
    """The peer's address as the server reports it; a proxy's header counts only if the server was told to trust it."""
    return request.META.get("REMOTE_ADDR", "")[:45] if request is not None else ""


def _window_start(now: datetime) -> datetime:
    return now - timedelta(seconds=settings.LOGIN_LOCKOUT_SECONDS)


def _in_words(seconds: float) -> str:
    return f"{round(seconds)} seconds" if seconds < 90 else f"{round(seconds / 60)} minutes"
