"""A hundred tabs of one browser: what they cost the server, and how soon all of them know what one of them hears."""

import asyncio
import time
from typing import Any

from playwright.async_api import Browser, Page

from benchmarks.browser.room import room_of
from benchmarks.report import Outcome
from tests.support.browser import window_of
from tests.support.pages import true
from tests.support.servers import LiveServer
from tests.support.tabs import heard_by, leading, light_tabs

TABS = 100


async def hundred_tabs(browser: Browser, server: LiveServer, cast: dict[str, Any]) -> Outcome:
    """One socket for all, also after the tab that holds it was closed."""
    window = await window_of(browser, server, cast["people"]["alice"]["id"])
    figures: dict[str, Any] = {"tabs": TABS}
    try:
        async with room_of(server, cast) as room:
            for _ in range(100):  # what was measured before lets go of its own
                if not await room.sockets():
                    break
                await asyncio.sleep(0.1)
            tabs = await light_tabs(window.context, f"{server.url}{room.path}", room.topic, TABS)
            for tab in tabs:
                await true(tab, "signs.state === 'live'", 60)
            figures["sockets"] = await room.sockets()
            figures["heard_by_all_ms"] = await _hears(tabs, 1, room.say("to all"))
            first = await leading(tabs)
            await first.close()
            rest = [tab for tab in tabs if tab is not first]
            figures["heard_after_the_leader_closed_ms"] = await _hears(rest, 2, room.say("to the others"))
            figures["sockets_after"] = await room.sockets()
    finally:
        await window.context.close()
    text = f"{figures['sockets']} socket for {TABS} tabs, all hear it within {figures['heard_by_all_ms']} ms"
    reached = figures["sockets"] == figures["sockets_after"] == 1
    return Outcome("browser_hundred_tabs", text, "–", "1 socket for 100 tabs", reached, figures)


async def _hears(tabs: list[Page], count: int, saying: Any) -> int:
    """Milliseconds until the last of these tabs has heard what is said."""
    began = time.time()
    await saying
    await heard_by(tabs, count)
    times = await asyncio.gather(*(tab.evaluate("signs.at") for tab in tabs))
    return round(max(times) - began * 1000)
