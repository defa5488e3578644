"""Many tabs of one browser, light enough that a machine holds a hundred."""

import asyncio
from typing import Any

from playwright.async_api import BrowserContext, Page

from tests.support.pages import true

_AT_ONCE = 10


async def light_tabs(context: BrowserContext, room: str, topic: str, count: int) -> list[Page]:
    """Tabs with nothing but the client, following `topic`; the page at the address `room` says for whom they are."""
    full = await context.new_page()
    await full.goto(room)
    attributes = await full.evaluate("({...document.body.dataset})")
    here = await full.evaluate("document.querySelector('script[type=module]').src.replace(/js\\/.*/, 'js/here.js')")
    blank = await full.evaluate("new URL('/health', location).href")
    await full.close()
    opened: list[Page] = []
    while len(opened) < count:
        some = min(_AT_ONCE, count - len(opened))
        opened += await asyncio.gather(*(_light_tab(context, blank, here, attributes, topic) for _ in range(some)))
    return opened


async def heard_by(pages: list[Page], count: int) -> None:
    """Wait until each of these light tabs has heard so many messages."""
    for page in pages:
        await true(page, f"signs.heard === {count}", 60)


async def leading(pages: list[Page]) -> Page:
    """The light tab that holds the socket."""
    [first] = [page for page in pages if await page.evaluate("signs.leads")]
    return first


async def _light_tab(context: BrowserContext, blank: str, here: str, attributes: dict[str, Any], topic: str) -> Page:
    page = await context.new_page()
    await page.goto(blank)
    await page.evaluate(
        """async ([here, attributes, topic]) => {
          Object.assign(document.body.dataset, attributes)
          await import(new URL('shared.js', here))
          const { client } = await import(here)
          globalThis.signs = { heard: 0 }
          client.follow(topic, { epoch: null, seq: 0 }).on('message', () => {
            signs.heard += 1
            signs.at = Date.now()
          })
          client.watch(({ state, leads }) => Object.assign(signs, { state, leads }))
          addEventListener('pagehide', () => client.stop())
          client.start()
        }""",
        [here, attributes, topic],
    )
    return page
