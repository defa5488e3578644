"""First contentful paint of every page, with an empty cache and with a warm one."""

import statistics
from typing import Any

from playwright.async_api import Browser, BrowserContext

from benchmarks.report import Outcome
from tests.support.browser import window_of
from tests.support.servers import LiveServer

LOADS = 5
MUST_MS = 500
WITHOUT_LOGIN = {"landing": "/", "login": "/login/"}
PAGES = ("dashboard", "projects", "run", "tasks", "agents", "chat")

_PAINT = """() => new Promise((done) => {
  new PerformanceObserver((list) => {
    const found = list.getEntriesByName('first-contentful-paint')[0]
    if (found) done(found.startTime)
  }).observe({ type: 'paint', buffered: true })
})"""
"""Milliseconds from the beginning of the navigation to the first text or picture on the screen."""


async def first_paint(browser: Browser, server: LiveServer, cast: dict[str, Any]) -> Outcome:
    """The median of some loads of each page; the slowest page counts."""
    alice = cast["people"]["alice"]["id"]
    scene = server.do("tests.support.scene:fill", cast["team"]["id"], alice)
    paints: dict[str, dict[str, list[int]]] = {}
    for who, paths in [(None, WITHOUT_LOGIN), (alice, {name: scene[name] for name in PAGES})]:
        for name, path in paths.items():
            url = f"{server.url}{path}"
            paints[name] = {
                "empty": await _empty(browser, server, who, url),
                "warm": await _warm(browser, server, who, url),
            }
    medians = {
        name: {cache: round(statistics.median(took)) for cache, took in of.items()} for name, of in paints.items()
    }
    worst = {cache: max(medians, key=lambda name: medians[name][cache]) for cache in ("empty", "warm")}
    slowest = {cache: medians[name][cache] for cache, name in worst.items()}
    text = (
        f"{slowest['empty']} ms with an empty cache ({worst['empty']}), "
        f"{slowest['warm']} ms with a warm one ({worst['warm']})"
    )
    reached = max(slowest.values()) < MUST_MS
    return Outcome(
        "browser_first_paint", text, "–", "< 500 ms on every page", reached, {"medians_ms": medians, "ms": paints}
    )


async def _empty(browser: Browser, server: LiveServer, who: int | None, url: str) -> list[int]:
    """A profile of its own for each load."""
    took = []
    for _ in range(LOADS):
        window = await window_of(browser, server, who)
        took.append(await _paint(window.context, url))
        await window.context.close()
    return took


async def _warm(browser: Browser, server: LiveServer, who: int | None, url: str) -> list[int]:
    """Tabs of one profile, one after the other; the first, which fills the cache, does not count."""
    window = await window_of(browser, server, who)
    took = [await _paint(window.context, url) for _ in range(LOADS + 1)]
    await window.context.close()
    return took[1:]


async def _paint(context: BrowserContext, url: str) -> int:
    page = await context.new_page()
    await page.goto(url)
    took: float = await page.evaluate(_PAINT)
    await page.close()
    return round(took)
