from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.events import log
from apps.events.dispatch import perform_sync


@pytest.fixture
def sam(db: None) -> User:
    """A member of staff, without any permission of Django's beside."""
    return User.objects.create_user("sam", password="a long walk on the platform", is_staff=True)


@pytest.fixture
def say() -> Any:
    """`say(sam, "notice:broadcast", "system", message="Hello")`: one frame; gives the ack's data."""

    def say(person: User, type: str, topic: str, id: str | None = None, **data: Any) -> dict[str, Any]:
        frame = {"type": type, "id": id or uuid4().hex, "topic": topic, "data": data}
        return perform_sync(Actor(user=person), frame)

    return say


@pytest.fixture
def rest() -> Any:
    """`rest(alice)`: REST as alice."""

    def rest(person: User) -> APIClient:
        client = APIClient()
        client.force_login(person)
        return client

    return rest


def told(topic: str) -> list[tuple[str, dict[str, Any]]]:
    """What was said on a topic: types and data."""
    return [(event.type, event.payload) for event in log.read_after(topic, 0).events]
