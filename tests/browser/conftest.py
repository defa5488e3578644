"""Pages in a real Chromium, kept quiet: it asks nobody but the server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.proxy import Proxy
from tests.conftest import Person
from tests.support.browser import Window, chromium, window_of
from tests.support.servers import LiveServer

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(playwright),
            args=FLAGS,
            # Playwright's own switches keep a page out of the back-forward cache.
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        await browser.close()


@pytest.fixture
async def window(server: LiveServer, browser: Browser) -> AsyncIterator[Callable[..., Awaitable[Window]]]:
    """`(await window(alice)).open("/tasks/")`; a script's error fails the test."""
    windows: list[Window] = []

    async def open_one(who: Person | None = None) -> Window:
        windows.append(await window_of(browser, server, who.id if who else None))
        return windows[-1]

    yield open_one
    problems = [problem for window in windows for problem in window.problems]
    assert not problems, problems


@pytest.fixture
async def proxy(server: LiveServer) -> AsyncIterator[Proxy]:
    """A proxy before the server, whose ways can be closed."""
    proxy = await Proxy(server.port).start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def room(api: Any, alice: Any) -> dict[str, Any]:
    """A chat session of alice's."""
    answer = await api(alice).post("/api/v1/chat/sessions/", json={"title": "Release"})
    return {**answer.json(), "path": f"/chat/{answer.json()['id']}/"}


@pytest.fixture
def say(api: Any, alice: Any, room: dict[str, Any]) -> Callable[[str], Awaitable[None]]:
    """`await say("Hello")`: alice says it in the room, from elsewhere."""

    async def say(content: str) -> None:
        answer = await api(alice).send_frame("message", room["topic"], id=uuid4().hex, content=content)
        assert answer.status_code == 200, answer.text

    return say


@pytest.fixture
def sockets(api: Any, alice: Any) -> Callable[[], Awaitable[int]]:
    """How many sockets the server has."""

    async def count() -> int:
        answer = await api(alice).get("/api/v1/ws/stats")
        found: int = answer.json()["stats"]["current_connections"]
        return found

    return count


async def state(page: Page, *wanted: str, seconds: float = 15) -> None:
    """Wait until the widget shows one of these states."""
    selector = ", ".join(f"connection-status[data-state={name}]" for name in wanted)
    await page.wait_for_selector(selector, timeout=seconds * 1000)


async def live(page: Page, seconds: float = 15) -> None:
    await state(page, "live", seconds=seconds)


async def standing(page: Page) -> dict[str, Any]:
    """How the page's client stands."""
    found: dict[str, Any] = await page.evaluate("import('/static/js/here.js').then(({client}) => client.standing)")
    return found


async def true(page: Page, expression: str, seconds: float = 15) -> None:
    """Wait until an expression holds in the page; its content policy forbids Playwright's own way."""
    for _ in range(int(seconds * 20)):
        if await page.evaluate(expression):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never true: {expression}")


async def leader_of(*pages: Page) -> Page:
    """The page that holds the socket; it is waited for."""
    for _ in range(300):
        for page in pages:
            if (await standing(page))["leads"] and (await standing(page))["state"] == "live":
                return page
        await asyncio.sleep(0.05)
    raise AssertionError("nobody leads")


async def said(page: Page) -> list[str]:
    return await page.locator(".message:not([data-state]) [data-field=content]").all_inner_texts()


async def hears(page: Page, *contents: str, seconds: float = 15) -> None:
    """Wait until the room shows exactly these messages, in this order."""
    for _ in range(int(seconds * 20)):
        if await said(page) == list(contents):
            return
        await asyncio.sleep(0.05)
    assert await said(page) == list(contents)


async def write(page: Page, content: str) -> None:
    await page.fill("#write textarea", content)
    await page.locator("#write textarea").press("Enter")
