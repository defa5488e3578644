"""Takes pictures of the pages: `make screenshots` those of the README, which lie beside this file.

`python -m docs.screenshots.take DIRECTORY` takes every page in both themes, on a desktop and on a phone. A real server,
agents that run as processes of their own, and people who talk: the pages are as somebody sees them.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Page, ViewportSize, async_playwright

from tests.support.browser import launch, window_of
from tests.support.processes import ROOT, end, end_session
from tests.support.processes import launch as start
from tests.support.servers import VARIANTS, LiveServer

HERE = Path(__file__).parent
AGENTS = {
    "build-1": ["--label", "build", "--slots", "3"],
    "build-2": ["--label", "build", "--slots", "2"],
    "gpu-1": ["--label", "gpu", "--slots", "1"],
    "staging": ["--label", "deploy", "--slots", "1"],
    "mac-mini": ["--label", "ios", "--slots", "2"],
}
KEPT = {
    "dashboard-dark": "dashboard",
    "dashboard-light": "dashboard-light",
    "run-dark": "run",
    "tasks-dark": "tasks",
    "agent-dark": "terminal",
    "chat-light": "chat",
    "dashboard-dark-phone": "dashboard-phone",
    "chat-light-phone": "chat-phone",
}
"""Pictures of the README, and what they are called there."""
DESKTOP, PHONE = ViewportSize({"width": 1280, "height": 900}), ViewportSize({"width": 390, "height": 844})


class Scene:
    """A server with agents at work."""

    def __init__(self, stack: ExitStack, **settings: str) -> None:
        self.server = LiveServer(VARIANTS[0], LIMIT_CONNECTIONS_PER_USER="50", **settings)
        stack.callback(self.server.close)
        self.server.start()
        self.ids: dict[str, Any] = self.server.do("docs.screenshots.seed:scene")
        self.server.do("docs.screenshots.seed:yesterday", self.ids["team"])
        self.chat = self.server.do("docs.screenshots.seed:chat", self.ids["team"], self.ids["people"])
        self.work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (self.work / "bin").mkdir()
        for program in ("pytest", "ruff", "docker", "evaluate", "deploy", "mkdocs"):
            (self.work / "bin" / program).symlink_to(HERE / "actor.py")
        for name, options in AGENTS.items():
            process = self._agent(name, options)
            stack.callback(end, process)
            if name == "mac-mini":
                self.leaving = process

    def _agent(self, name: str, options: list[str]) -> Any:
        path = f"{self.work / 'bin'}:{os.environ['PATH']}"
        env = os.environ | {"SIGNALBOX_KEY": self.ids["key"], "PYTHONPATH": str(ROOT / "sdk"), "PATH": path}
        command = [sys.executable, "-m", "signalbox_agent", "--url", self.server.url, "--name", name]
        command += [*options, "--allow-all", "--cwd", str(self.work)]
        return start(command, log=self.work / f"{name}.log", env=env, cwd=self.work)

    async def play(self) -> dict[str, str]:
        """Start runs and tasks, and wait until they are where the pictures want them. Gives the pages' addresses."""
        ada = self.server.do("tests.support.seed:access_token", self.ids["people"]["ada"])
        ben = self.server.do("tests.support.seed:access_token", self.ids["people"]["ben"])
        async with httpx.AsyncClient(base_url=self.server.url, timeout=30) as http:

            async def call(method: str, path: str, who: str = ada, **body: Any) -> Any:
                answer = await http.request(method, path, headers={"Authorization": f"Bearer {who}"}, json=body or None)
                answer.raise_for_status()
                return answer.json()

            async def until(path: str, *states: str) -> None:
                for _ in range(300):
                    if (await call("GET", path))["status"] in states:
                        return
                    await asyncio.sleep(0.2)
                raise TimeoutError(path)

            for _ in range(300):
                if len((await call("GET", "/api/v1/agents/"))["results"]) == len(AGENTS):
                    break
                await asyncio.sleep(0.2)
            end(self.leaving)
            runs = {}
            for name, who in [("Nightly checks", ben), ("Payments", ada), ("Release 1.4", ada)]:
                run = await call("POST", f"/api/v1/projects/{self.ids['projects'][name]}/runs/", who)
                runs[name] = run["id"]
                if name == "Payments":
                    await until(f"/api/v1/runs/{run['id']}/", "failed")
            tasks = []
            for query, who, wish in [
                ("mkdocs build --strict", ben, {"label": "build"}),
                ("git --version && df -h .", ada, {"agent": "staging"}),
                ("ruff check shop/payments", ben, {"label": "build"}),
                ("xcodebuild -scheme Shop archive", ada, {"agent": "mac-mini"}),
                ("pytest -q tests -k vouchers", ada, {"label": "build"}),
            ]:
                tasks.append((await call("POST", "/api/v1/tasks/", who, query=query, **wish))["id"])
                await asyncio.sleep(1)
            await until(f"/api/v1/runs/{runs['Nightly checks']}/", "completed")
            await asyncio.sleep(25)
            agents = {agent["name"]: agent["id"] for agent in (await call("GET", "/api/v1/agents/"))["results"]}
        return {
            "dashboard": "/",
            "projects": "/projects/",
            "project": f"/projects/{self.ids['projects']['Release 1.4']}/",
            "run": f"/runs/{runs['Release 1.4']}/",
            "run-failed": f"/runs/{runs['Payments']}/",
            "tasks": "/tasks/",
            "task": f"/tasks/{tasks[4]}/",
            "agents": "/agents/",
            "agent": f"/agents/{agents['gpu-1']}/",
            "chats": "/chat/",
            "chat": f"/chat/{self.chat}/",
            "nothing": "/nothing/",
        }


async def take(scene: Scene, pages: dict[str, str], to: Path, names: dict[str, str] | None) -> None:
    """One picture each, called page-theme or page-theme-phone; with `names`, only those, and called so."""
    ada = scene.ids["people"]["ada"]
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        for theme, (size, viewport) in product(("dark", "light"), (("", DESKTOP), ("-phone", PHONE))):
            for who, shown in [(None, {"landing": "/", "login": "/login/"}), (ada, pages)]:
                window = await window_of(browser, scene.server, who)
                await window.context.add_cookies([{"name": "theme", "value": theme, "url": scene.server.url}])
                for page_name, path in shown.items():
                    name = f"{page_name}-{theme}{size}"
                    if names is not None and name not in names:
                        continue
                    page = await window.open(path)
                    await page.set_viewport_size(viewport)
                    await settle(page)
                    await page.screenshot(path=to / f"{(names or {}).get(name, name)}.png")
                    await page.close()
                for problem in window.problems:
                    print(f"{theme}{size}: {problem}", file=sys.stderr)
                await window.context.close()
        await browser.close()


async def settle(page: Page) -> None:
    """Wait until the page is live, if it can be, and drawn."""
    if await page.locator("connection-status").count():
        await page.wait_for_selector("connection-status[data-state=live]")
    await page.wait_for_timeout(1200)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", help="for all of them; left out: those of the README, here")
    directory = parser.parse_args().directory
    if directory:
        directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.callback(end_session)
        scene = Scene(stack)
        await take(scene, await scene.play(), directory or HERE, None if directory else KEPT)


if __name__ == "__main__":
    asyncio.run(main())
