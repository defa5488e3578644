"""What the tests of the log stand on: a feature that only they know, and its topics."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from apps.events import dispatch, log
from tests.events import story
from tests.events.story import StoryTopic


@pytest.fixture(autouse=True)
def _story_is_known() -> Iterator[None]:
    with story.told():
        yield
    dispatch.forget_roles()
    log.reads.clear()


@pytest.fixture
def topic() -> StoryTopic:
    """A story nobody has written to yet."""
    return StoryTopic(key=uuid4().hex)


@pytest.fixture(scope="module")
def _stories_go_afterwards(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    yield
    with django_db_blocker.unblock():
        story.forget_all()


@pytest.fixture
def transactional_db(_stories_go_afterwards: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's, which empties all tables after each test.

    Commits are real, and other threads see them. Only stories may be written: they are swept up after the module.
    """
    with django_db_blocker.unblock():
        yield
