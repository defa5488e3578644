"""The gateway's parts inside the test process: the hub of this process, and stories to follow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from django.db import transaction

from apps.accounts import tokens
from apps.accounts.models import User
from apps.events import log
from apps.events.models import StoredEvent
from apps.events.threads import in_reader, in_writer
from apps.gateway import hub as hubs
from apps.gateway import limits
from apps.gateway.hub import Hub
from project.asgi import application
from tests.events.conftest import _stories_go_afterwards, _story_is_known, topic, transactional_db  # noqa: F401
from tests.events.story import LineWritten, StoryTopic

LOG = "/api/v1/events/"


class LossyHub(Hub):
    """A hub whose hints can be held back: they wait in `held` until a test delivers, doubles or drops them."""

    holding = False

    def __init__(self) -> None:
        super().__init__(lambda notice: None)
        self.held: list[dict[str, Any]] = []

    def _take(self, hint: dict[str, Any]) -> None:
        if self.holding and hint["type"] == "log.stored":
            self.held.append(hint)
        else:
            super()._take(hint)

    def deliver(self, hint: dict[str, Any]) -> None:
        super()._take(hint)

    async def look(self) -> None:
        """The regular look at the heads, now."""
        await self._compare(list(self._followed))


@pytest.fixture
async def hub(transactional_db: None, settings: Any) -> AsyncIterator[LossyHub]:  # noqa: F811
    """This process's hub. It looks at the heads only when a test says so."""
    settings.HEADS_CHECK_SECONDS = 3600
    running = await start_hub()
    yield running
    await hubs.stop()


async def start_hub() -> LossyHub:
    """A new hub for this process."""
    await hubs.stop()
    running = LossyHub()
    await running.start()
    hubs._hub = running
    return running


@pytest.fixture
def write() -> Callable[..., Awaitable[StoredEvent]]:
    """`await write(topic, "a", "b")`: two events in one transaction."""
    return write_lines


async def write_lines(topic: StoryTopic, *texts: str) -> StoredEvent:  # noqa: F811
    def append() -> StoredEvent:
        with transaction.atomic():
            return log.append(topic, *[LineWritten(text=text) for text in texts])

    return await in_writer(append)


async def story_of(topic: StoryTopic, after: int = 0) -> list[str]:  # noqa: F811
    """What the database says was written after a seq."""
    rows = StoredEvent.objects.filter(topic=str(topic), seq__gt=after).order_by("seq")
    return await in_reader(lambda: [row.payload["text"] for row in rows])


async def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until `true()` is."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.002)


# HTTP -----------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> None:
    limits._over_http.clear()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://testserver") as client:
        yield client


@pytest.fixture
def token(hub: LossyHub, alice: User) -> str:
    """Alice's access token."""
    return tokens.issue(alice).access


@pytest.fixture
def poll(http: httpx.AsyncClient, token: str, topic: StoryTopic) -> Callable[..., Awaitable[httpx.Response]]:  # noqa: F811
    """`await poll(after=0)`: alice's answer."""

    async def ask(headers: Any = None, topic: Any = topic, **params: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} | (headers or {})
        return await http.get(LOG, params={"topic": str(topic), **params}, headers=headers)

    return ask


def texts(response: httpx.Response) -> list[str]:
    """The texts of a page's events."""
    return [event["data"]["text"] for event in response.json()["events"]]


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """An answer's status, code and sentence."""
    error = response.json()["error"]
    return response.status_code, error["code"], error["message"]
