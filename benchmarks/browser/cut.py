"""A cut of ten seconds: how long after the socket's return a page shows everything that it missed."""

import asyncio
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

from playwright.async_api import Browser, Page

from benchmarks.browser.room import room_of
from benchmarks.report import Outcome
from tests.support.browser import window_of
from tests.support.pages import hears, live, said, standing
from tests.support.proxy import Proxy
from tests.support.servers import LiveServer

ROUNDS = 5
SECONDS = 10
MESSAGES = 100
MUST_MS = 500

_WATCH = """
globalThis.seen = { opened: 0, whole: 0, wanted: Infinity }
globalThis.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given)
    this.addEventListener('open', () => { seen.opened = performance.now() })
  }
}
new MutationObserver(() => {
  if (seen.whole || document.querySelectorAll('.message:not([data-state])').length < seen.wanted) return
  seen.whole = -1
  requestAnimationFrame(() => setTimeout(() => { seen.whole = performance.now() }))
}).observe(document, { childList: true, subtree: true, attributes: true })
"""
"""Notes when a socket opened, and when the last of the wanted messages had been painted."""


async def cut(browser: Browser, server: LiveServer, cast: dict[str, Any]) -> Outcome:
    """Every connection broken for ten seconds, in which a hundred messages are posted."""
    proxy = await Proxy(server.port).start()
    alice = cast["people"]["alice"]["id"]
    window = await window_of(browser, server, alice)
    await window.context.add_init_script(_WATCH)
    try:
        async with room_of(server, cast) as room:
            page = await window.context.new_page()
            await page.goto(f"{proxy.url}{room.path}")
            await live(page)
            took = []
            for number in range(ROUNDS):
                missed = [f"message {number}.{n}" for n in range(MESSAGES)]
                talk = partial(server.do, "tests.support.scene:talk", room.topic, alice, missed)
                took.append(await _round(page, proxy, talk, missed))
            lost = (await standing(page))["lost"]
    finally:
        await window.context.close()
        await proxy.stop()
    figures = {
        "whole_ms": round(statistics.median(took)),
        "whole_worst_ms": round(max(took)),
        "rounds_ms": [round(one) for one in took],
        "messages": MESSAGES,
        "lost": lost,
    }
    text = f"whole {figures['whole_ms']} ms after the socket's return, at worst {figures['whole_worst_ms']}"
    reached = figures["whole_worst_ms"] < MUST_MS and lost == 0
    return Outcome("browser_cut", text, "–", "< 500 ms after a cut of 10 s, 0 lost", reached, figures)


async def _round(page: Page, proxy: Proxy, talk: Callable[[], None], missed: list[str]) -> float:
    """Milliseconds from the socket's return to the last message on the screen; 0 if polling was there before it."""
    before = await said(page)
    await page.evaluate("wanted => Object.assign(seen, { opened: 0, whole: 0, wanted })", len(before) + MESSAGES)
    proxy.cut()
    await asyncio.to_thread(talk)
    await asyncio.sleep(SECONDS)
    if await page.evaluate("seen.opened"):
        raise RuntimeError("a socket opened during the cut")
    proxy.mend()
    await live(page, 60)
    # Not a worse figure but a failure, if something is missing, twice there or out of order.
    await hears(page, *before, *missed)
    seen = await page.evaluate("seen")
    return max(0.0, seen["whole"] - seen["opened"])
