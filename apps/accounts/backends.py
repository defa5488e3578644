"""The one place where a password is checked, whichever door asks: login page, admin, token endpoint."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from apps.accounts import audit, lockout
from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.models import User
from apps.accounts.writes import write_and_wait


class GuardedBackend(ModelBackend):
    """Django's own check, with a lockout and a record of every login and every refusal."""

    @sensitive_variables("password")
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **credentials: Any
    ) -> User | None:
        """The user, or None for wrong credentials; TooFast when too many were wrong."""
        username = username if username is not None else credentials.get(User.USERNAME_FIELD)
        if username is None or password is None:
            return None
        address = lockout.address_of(request)
        door = request.path if request is not None else ""
        attempts = write_and_wait(lockout.begin, username, address)
        user = super().authenticate(request, username=username, password=password)
        if user is None:
            write_and_wait(lockout.failed)
            write_and_wait(
                audit.record, SYSTEM, "login.refused", username, address=address, door=door, attempts=attempts
            )
            return None
        write_and_wait(lockout.succeeded, username, address)
        write_and_wait(audit.record, Actor(user=user), "login", address=address, door=door)
        return user
