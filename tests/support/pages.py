"""What a page of Signalbox shows and how its client stands, asked from outside and waited for."""

import asyncio
from typing import Any

from playwright.async_api import Page


def script(name: str) -> str:
    """JavaScript that imports a module of ours as the page did, which names the version of its files."""
    return f"import(document.querySelector('script[type=module]').src.replace(/js\\/.*/, 'js/{name}'))"


async def state(page: Page, *wanted: str, seconds: float = 15) -> None:
    """Wait until the widget shows one of these states."""
    selector = ", ".join(f"connection-status[data-state={name}]" for name in wanted)
    await page.wait_for_selector(selector, timeout=seconds * 1000)


async def live(page: Page, seconds: float = 15) -> None:
    await state(page, "live", seconds=seconds)


async def standing(page: Page) -> dict[str, Any]:
    """How the page's client stands."""
    found: dict[str, Any] = await page.evaluate(f"{script('here.js')}.then(({{client}}) => client.standing)")
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
            found = await standing(page)
            if found["leads"] and found["state"] == "live":
                return page
        await asyncio.sleep(0.05)
    raise AssertionError("nobody leads")


async def go(page: Page, steps: int) -> None:
    """Go back or forward among what this tab has shown, once the page has said that it will."""
    await page.evaluate("(steps) => { setTimeout(() => history.go(steps)) }", steps)


async def said(page: Page) -> list[str]:
    """The messages that the room shows and the server has."""
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
