"""Writes into a live server's database from a process beside it: `LiveServer.do("tests.support.seed:cast", …)`.

One JSON line in, one JSON line out, so that a test does not pay for Django's start each time.
"""

import json
import sys
import traceback
from functools import cache
from importlib import import_module
from typing import Any


def cast(tag: str) -> dict[str, Any]:
    """A fresh team with alice (owner), bob (operator), victor (viewer) and an agent's key, and mallory, a stranger."""
    from django.db import transaction

    with transaction.atomic():
        team = make_team(f"Team {tag}")
        people = {
            name: make_user(f"{name}-{tag}", team=team["id"] if role else None, role=role)
            for name, role in [("alice", "owner"), ("bob", "operator"), ("victor", "viewer"), ("mallory", None)]
        }
        return {"team": team, "people": people, "agent_key": make_key(f"agents-{tag}", team["id"])}


def make_team(name: str) -> dict[str, Any]:
    from apps.accounts.models import Team

    return {"id": str(Team.objects.create(name=name).pk), "name": name}


def make_user(
    username: str, *, team: str | None = None, role: str | None = None, staff: bool = False
) -> dict[str, Any]:
    """A user with PASSWORD and an access token for an hour; a member of `team` when a role is given."""
    from apps.accounts.models import Membership, User
    from apps.accounts.roles import Role

    user = User.objects.create(username=username, password=_password(), is_staff=staff, is_superuser=staff)
    if team and role:
        Membership.objects.create(user=user, team_id=team, role=Role[role.upper()])
    return {"id": user.pk, "username": username, "password": PASSWORD, "token": access_token(user.pk, seconds=3600)}


def make_key(name: str, team: str) -> dict[str, Any]:
    """An agent's API key; `token` is the secret itself."""
    from apps.accounts.models import ApiKey

    row, key = ApiKey.objects.create_key(name=name, team_id=team)
    return {"id": str(row.pk), "prefix": row.prefix, "token": key}


def access_token(user: int, *, seconds: float | None = None) -> str:
    """A JWT of this user as the token view gives it, with a lifetime of `seconds` if given."""
    from datetime import timedelta

    from rest_framework_simplejwt.tokens import RefreshToken

    from apps.accounts.models import User

    access = RefreshToken.for_user(User.objects.get(pk=user)).access_token
    if seconds is not None:
        access.set_exp(lifetime=timedelta(seconds=seconds))
    return str(access)


def session_cookie(user: int) -> str:
    """The value of a session cookie, as after logging in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from apps.accounts.models import User

    row = User.objects.get(pk=user)
    session = SessionStore()
    session[SESSION_KEY] = str(row.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = row.get_session_auth_hash()
    session.create()
    assert session.session_key
    return session.session_key


def sql(statement: str, *values: Any) -> list[list[Any]]:
    """Run one statement in the server's database; its rows, if it has any."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [list(row) for row in cursor.fetchall()] if cursor.description else []


PASSWORD = "a long walk on the platform"


@cache
def _password() -> str:
    from django.contrib.auth.hashers import make_password

    return make_password(PASSWORD)


def main() -> None:
    import django
    from django.db import close_old_connections

    django.setup()
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        wish = json.loads(line)
        module, _, name = wish["call"].partition(":")
        close_old_connections()
        try:
            answer = {"result": getattr(import_module(module), name)(*wish["args"], **wish["named"])}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer, default=str), file=answers, flush=True)


if __name__ == "__main__":
    main()
