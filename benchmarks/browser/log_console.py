"""The log console: a run of a million lines, and one that prints 2,000 lines a second."""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page

from benchmarks.browser.probe import FIRST_LINE, Probe
from benchmarks.report import Outcome
from tests.support.browser import window_of
from tests.support.processes import ROOT, end, launch
from tests.support.servers import LiveServer

LINES = 1_000_000
OPENINGS = 5
RATE = 2_000
SECONDS = 15
LINE = "log-console .line[data-address]"
VIEW = "log-console .lines"

PRINTS = f"""
import sys, time
start = time.monotonic()
for n in range({RATE * (SECONDS + 10)}):
    print(f"\\x1b[32mok\\x1b[0m {{n:07}} a line as programs print them, of about eighty characters in all")
    if n % 100 == 99:
        sys.stdout.flush()
        time.sleep(max(0, start + (n + 1) / {RATE} - time.monotonic()))
"""


async def million(browser: Browser, server: LiveServer, cast: dict[str, Any]) -> Outcome:
    """Opening, scrolling and the memory of a run with a million lines."""
    alice, team = cast["people"]["alice"]["id"], cast["team"]["id"]
    run = server.do("tests.support.logs:run_with_log", alice, team, LINES)
    figures: dict[str, Any] = {}
    async with watched(browser, server, alice) as (page, probe):
        opened = [await open_log(page, f"{server.url}/runs/{run['id']}/") for _ in range(OPENINGS)]
        figures["open_ms"] = round(statistics.median(opened))
        figures["open_first_ms"] = round(opened[0])
        await asyncio.sleep(1)
        figures["heap_at_first_mb"] = await probe.heap_mb()
        figures["wheel"] = await _scrolled(page, probe, distance=24_000, speed=3_000)
        figures["fling"] = await _scrolled(page, probe, distance=100_000, speed=20_000)
        figures["drag"] = await _dragged(page, probe)
        heaps = []
        for share in range(0, 100, 2):
            await page.locator(VIEW).evaluate("(view, to) => { view.scrollTop = view.scrollHeight * to }", share / 100)
            await asyncio.sleep(0.15)
            if share % 10 == 0:
                heaps.append(await probe.heap_mb())
        figures["heap_mb"] = max(heaps)
    fps = min(figures[how]["fps"] for how in ("wheel", "fling", "drag"))
    said = f"opens in {figures['open_ms']} ms, scrolls at {fps} frames/s, {figures['heap_mb']} MB"
    reached = figures["open_ms"] < 1000 and fps >= 58 and figures["heap_mb"] < 100
    return Outcome("browser_million_lines", said, "–", "< 1 s, 60 frames/s, < 100 MB of heap", reached, figures)


async def live(browser: Browser, server: LiveServer, cast: dict[str, Any]) -> Outcome:
    """Frames and keys while a real agent's command prints as fast as a busy build."""
    alice, team = cast["people"]["alice"]["id"], cast["team"]["id"]
    env = os.environ | {
        "PYTHONPATH": str(ROOT / "sdk"),
        "SIGNALBOX_URL": server.url,
        "SIGNALBOX_KEY": cast["agent_key"]["token"],
    }
    command = [sys.executable, "-m", "signalbox_agent", "--name", "printer", "--label", "printer", "--allow-all"]
    agent = launch(command, log=server.directory / "agent.log", env=env)
    try:
        script = server.directory / "prints.py"
        script.write_text(PRINTS)
        async with watched(browser, server, alice) as (page, probe):
            run = server.do("benchmarks.browser.log_console:start", alice, team, f"{sys.executable} {script}")
            await open_log(page, f"{server.url}/runs/{run}/")
            await asyncio.sleep(3)
            before, began = await _lines(page), time.monotonic()
            await probe.start()
            for _ in range(SECONDS * 10):
                await asyncio.sleep(0.1)
                await page.keyboard.press("Shift")
            figures = await probe.end()
            figures["lines_per_second"] = round((await _lines(page) - before) / (time.monotonic() - began))
            figures["heap_mb"] = await probe.heap_mb()
    finally:
        end(agent)
    said = (
        f"{figures['fps']} frames/s and {figures['input_delay_p95_ms']} ms input delay at "
        f"{figures['lines_per_second']} lines/s"
    )
    reached = figures["fps"] >= 50 and figures["input_delay_p95_ms"] < 50 and figures["lines_per_second"] > RATE * 0.8
    return Outcome("browser_live_log", said, "–", "≥ 50 frames/s, < 50 ms at 2,000 lines/s", reached, figures)


def start(user: int, team: str, line: str) -> str:
    """A run of one step, carried out by the agent with the label `printer`; gives its id."""
    from uuid import uuid4

    from apps.accounts.actors import Actor
    from apps.accounts.models import Team, User
    from apps.events.dispatch import perform_sync
    from apps.swarm.definition import parse
    from apps.swarm.services import load_project

    steps = [{"name": "print", "run": line, "label": "printer"}]
    project = load_project(
        Team.objects.get(pk=team), parse({"name": "Prints", "stages": [{"name": "all", "steps": steps}]})
    )
    frame = {"type": "run:start", "id": uuid4().hex, "topic": f"team.{team}", "data": {"project_id": str(project.pk)}}
    return str(perform_sync(Actor(user=User.objects.get(pk=user)), frame)["data"]["run_id"])


@asynccontextmanager
async def watched(browser: Browser, server: LiveServer, user: int) -> AsyncIterator[tuple[Page, Probe]]:
    """A page of this user's that notes when a log is first seen, and its probe."""
    window = await window_of(browser, server, user)
    await window.context.add_init_script(FIRST_LINE)
    page = await window.context.new_page()
    cdp = await window.context.new_cdp_session(page)
    await cdp.send("Performance.enable")
    yield page, Probe(page, cdp)
    await window.context.close()


async def open_log(page: Page, url: str) -> float:
    """Milliseconds from the navigation to the first lines on the screen."""
    await page.goto(url)
    await page.locator(LINE).first.wait_for(timeout=60_000)
    await asyncio.sleep(0.3)
    opened: float = await page.evaluate("window.firstLine")
    await page.evaluate("sessionStorage.clear()")
    return opened


async def _scrolled(page: Page, probe: Probe, *, distance: int, speed: int) -> dict[str, float]:
    """Scroll up by the wheel, through pages that have to be fetched, at `speed` pixels a second."""
    box = await page.locator(VIEW).bounding_box()
    assert box
    await probe.start()
    gesture = {"x": box["x"] + 300, "y": box["y"] + 200, "yDistance": distance, "speed": speed}
    await probe.cdp.send("Input.synthesizeScrollGesture", {**gesture, "gestureSourceType": "mouse"})
    return await probe.end()


async def _dragged(page: Page, probe: Probe) -> dict[str, float]:
    """Pull the scrollbar through all of the log within four seconds."""
    await probe.start()
    await page.locator(VIEW).evaluate(
        """async (view) => {
          for (let n = 0; n <= 240; n++) {
            view.scrollTop = view.scrollHeight * (n / 240)
            await new Promise(requestAnimationFrame)
          }
        }"""
    )
    return await probe.end()


async def _lines(page: Page) -> int:
    """How many lines the console says there are."""
    said: str = await page.locator("log-console .count").inner_text()
    return int("".join(filter(str.isdigit, said)))
