"""A rare text in a run of a million lines, looked for from the log console's search box."""

import statistics
from typing import Any

from playwright.async_api import Browser, Page

from benchmarks.browser.log_console import LINES, open_log, watched
from benchmarks.report import Outcome
from tests.support.pages import true
from tests.support.servers import LiveServer

RARE = [f"part-0{number}001" for number in (130, 250, 370)]
"""Each is on one line, far from the end, where a log opens."""
PATIENCE = 300

_WATCH = """() => {
  const place = document.querySelector('log-console .place')
  const log = document.querySelector('log-console .lines')
  const times = (globalThis.found = {})
  let began = 0
  const since = () => performance.now() - began
  const look = () => {
    if (!began) return
    const said = place.textContent
    if (/\\d/.test(said)) times.hit ??= since()
    if (said && !/[+…]/.test(said) && !times.counted) Object.assign(times, { counted: since(), said })
    if (log.querySelector('.line mark')) requestAnimationFrame(() => setTimeout(() => { times.shown ??= since() }))
  }
  const observer = new MutationObserver(look)
  for (const node of [place, log]) observer.observe(node, { childList: true, subtree: true, characterData: true })
  const find = document.querySelector('log-console .find')
  find.addEventListener('input', () => { began ||= performance.now() }, true)
  find.addEventListener('keydown', () => { times.asked ??= since() }, true)
}"""
"""Notes when the first hit was known, when all of them were counted, and when the asked for one was on the screen."""


async def text_search(browser: Browser, server: LiveServer, cast: dict[str, Any]) -> Outcome:
    """How long until the line is found and counted, and until it is on the screen when Enter asks for it."""
    alice, team = cast["people"]["alice"]["id"], cast["team"]["id"]
    run = server.do("tests.support.logs:run_with_log", alice, team, LINES)
    found = []
    for words in RARE:
        # A window of its own: one that has searched opens the log where it found something.
        async with watched(browser, server, alice) as (page, _):
            found.append(await _look_for(page, f"{server.url}/runs/{run['id']}/", words))
    figures = {f"{name}_ms": [round(one[name]) for one in found] for name in ("hit", "counted", "shown")}
    hit, counted, shown = (round(statistics.median(took)) for took in figures.values())
    text = f"found after {hit} ms, counted after {counted} ms, on the screen {shown} ms after Enter"
    return Outcome("browser_text_search", text, "–", "–", True, figures)


async def _look_for(page: Page, url: str, words: str) -> dict[str, float]:
    """Open the log anew and type; milliseconds since then, and those from Enter to the painted line."""
    await open_log(page, url)
    await page.evaluate(_WATCH)
    await page.fill("log-console .find", words)
    await true(page, "!!found.counted", PATIENCE)
    if (said := await page.evaluate("found.said")) != "1 hit":
        raise RuntimeError(f"{words} is on one line, and the console says: {said}")
    await page.locator("log-console .find").press("Enter")
    await true(page, "!!found.shown", PATIENCE)
    found: dict[str, float] = await page.evaluate("found")
    return found | {"shown": found["shown"] - found["asked"]}
