"""A real Chromium for tests: the system's, else playwright's download, else the distribution's package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, Playwright, ViewportSize

from tests.support.processes import session_dir
from tests.support.proxy import Proxy
from tests.support.servers import LiveServer
from tests.support.services import only_one

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
"""It asks nobody but the server, and draws by itself."""


class NoBrowser(Exception):
    """No Chromium, and no way to get one; the message says what to install."""


async def launch(playwright: Playwright) -> Browser:
    """Start Chromium, fetching it first if this machine has none. Raises NoBrowser."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return await playwright.chromium.launch(
        executable_path=chromium(playwright),
        args=[*_QUIET, *sandbox],
        # Playwright's own switches keep a page out of the back-forward cache.
        ignore_default_args=["--disable-back-forward-cache"],
    )


def chromium(playwright: Playwright) -> Path:
    """The browser's program; fetched once per machine if need be."""
    own = Path(playwright.chromium.executable_path)
    if found := _on_this_system() or (own if own.exists() else None):
        return found
    with only_one("chromium"):
        if found := _on_this_system() or (own if own.exists() else None):
            return found
        reasons = [_run(sys.executable, "-m", "playwright", "install", "--no-shell", "chromium")]
        if own.exists() and not _run(str(own), "--version", "--no-sandbox"):
            return own
        if os.geteuid() == 0 and shutil.which("apt-get"):
            reasons.append(_run("apt-get", "install", "--yes", "--no-install-recommends", "chromium"))
            if found := _on_this_system():
                return found
    raise NoBrowser("Tests of pages need Chromium: install your distribution's package. " + " ".join(reasons)[-1000:])


class Window:
    """One person's browser window; it collects what went wrong in its pages."""

    def __init__(self, context: BrowserContext, server: LiveServer) -> None:
        self.context = context
        self.server = server
        self.problems: list[str] = []

    async def open(self, path: str = "/", size: ViewportSize | None = None, via: Proxy | None = None) -> Page:
        """A new tab at this path of the server, seen through a proxy if one is given."""
        page = await self.context.new_page()
        if size:
            await page.set_viewport_size(size)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self._note(message.type, message.text))
        await page.goto(f"{(via or self.server).url}{path}")
        return page

    def _note(self, kind: str, text: str) -> None:
        # The network may fail in these tests; the scripts and the content policy may not.
        if kind == "error" and "Failed to load resource" not in text and "WebSocket connection" not in text:
            self.problems.append(text)


async def window_of(browser: Browser, server: LiveServer, user_id: int | None = None) -> Window:
    """A fresh window, logged in as this user if one is given."""
    # What moves all the time is drawn by the processor, at the cost of everybody else's tests.
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    if user_id is not None:
        cookie = server.do("tests.support.seed:session_cookie", user_id)
        await context.add_cookies([{"name": "sessionid", "value": cookie, "url": server.url}])
    return Window(context, server)


def _on_this_system() -> Path | None:
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    return Path(found) if found else None


def _run(*command: str) -> str:
    """Run it; what it complained about, or nothing when it worked."""
    log = session_dir() / "chromium.log"
    with log.open("wb") as output:
        code = subprocess.run(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL).returncode
    return log.read_text(errors="replace")[-500:] if code else ""
