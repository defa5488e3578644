"""How the tests of accounts ask: over REST with a bearer token, or with a browser's session."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.accounts import revocations, tokens
from apps.accounts.models import ApiKey, User
from apps.accounts.revocations import Revocation

PASSWORD = "a long walk on the platform"


@pytest.fixture
def as_api() -> Callable[[User | ApiKey | None], APIClient]:
    """`as_api(alice).get(…)`: REST as a person with a fresh access token, as an agent with its key, or as nobody."""

    def speak(who: User | ApiKey | None = None) -> APIClient:
        client = APIClient()
        if who is not None:
            token = who.secret if isinstance(who, ApiKey) else tokens.issue(who).access  # type: ignore[attr-defined]
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return speak


@pytest.fixture
def browser() -> Callable[[User], Client]:
    """`browser(alice)`: a browser in which alice has logged in."""

    def logged_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return logged_in


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Revocation]]:
    """Every revocation that was told to listeners so far."""
    heard: list[Revocation] = []
    monkeypatch.setattr(revocations, "_listeners", [heard.append])
    yield heard


@pytest.fixture
def committing(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    """`with committing(): …`: what waits for a commit happens at the end of the block."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def admin_user(db: None) -> User:
    """Adam, who runs the installation."""
    return User.objects.create_superuser("adam", password=PASSWORD)
