"""`python -m benchmarks.browser [name …]`: a JSON line and a table row for each; fails when a mark is not reached."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Browser, async_playwright

from benchmarks.browser import log_console
from benchmarks.browser.cut import cut
from benchmarks.browser.first_paint import first_paint
from benchmarks.browser.hundred_tabs import hundred_tabs
from benchmarks.browser.text_search import text_search
from benchmarks.report import HEADER, Outcome
from tests.support.browser import launch
from tests.support.processes import end_session
from tests.support.servers import LiveServer

Benchmark = Callable[[Browser, LiveServer, dict[str, Any]], Awaitable[Outcome]]

BENCHMARKS: dict[str, Benchmark] = {
    "million_lines": log_console.million,
    "live_log": log_console.live,
    "text_search": text_search,
    "cut": cut,
    "first_paint": first_paint,
    "hundred_tabs": hundred_tabs,
}


async def measure(names: list[str]) -> list[Outcome]:
    """One server and one browser for all of them."""
    outcomes: list[Outcome] = []
    server = LiveServer().start()
    try:
        async with async_playwright() as playwright:
            browser = await launch(playwright)
            for name in names:
                outcome = await BENCHMARKS[name](browser, server, server.do("tests.support.seed:cast", name))
                outcome.figures["load_average"] = round(os.getloadavg()[0], 1)
                print(outcome.json_line, flush=True)
                print(f"{HEADER}\n{outcome.row}" if not outcomes else outcome.row, file=sys.stderr, flush=True)
                outcomes.append(outcome)
            await browser.close()
    finally:
        server.close()
        end_session()
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.browser", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    return 0 if all(outcome.reached for outcome in asyncio.run(measure(names))) else 1


if __name__ == "__main__":
    sys.exit(main())
