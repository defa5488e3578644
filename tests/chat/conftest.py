from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.chat.models import ChatSession
from apps.chat.services import open_session
from apps.events.dispatch import perform_sync


@pytest.fixture
def room(alice: User, bob: User, team: Any, say: Any) -> ChatSession:
    """A session that alice has opened, with bob in it."""
    session = open_session(Actor(user=alice), team=team, title="Release")
    say(alice, "member:add", session, user_id=bob.pk)
    return session


@pytest.fixture
def say() -> Any:
    """`say(alice, "message", room, content="Hello")`: one frame; gives the ack's data."""

    def say(person: User, type: str, session: ChatSession, id: str | None = None, **data: Any) -> dict[str, Any]:
        frame = {"type": type, "id": id or uuid4().hex, "topic": f"chat.{session.pk}", "data": data}
        return perform_sync(Actor(user=person), frame)

    return say
