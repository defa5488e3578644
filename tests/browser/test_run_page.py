"""A run's page and an agent's page in a real Chromium, with real agents at work."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.support.pages import live, script, state
from tests.support.processes import ROOT, end, launch

pytestmark = pytest.mark.variants("uvicorn-sqlite")
on_both = pytest.mark.variants("sqlite")

# Agents are processes, and this machine may have other things to do.
expect.set_options(timeout=20_000)

COUNT = "for n in $(seq 1 40); do echo line $n; sleep 0.25; done"
TRICKS = (
    r"printf '\033[38;2;255;100;0mtrue\033[0m \033[48;2;0;0;90mcolour\033[0m \033[1;3;4;7mall\033[0m\n';"
    r"printf '\033]8;;javascript:alert(1)\033\\a link\033]8;;\033\\ \033]0;title\007\033]52;c;aGk=\007<b>bold</b>\n'"
)


@pytest.fixture
async def hire(server, agent_key, tmp_path: Path) -> AsyncIterator[Callable[[str], subprocess.Popen[bytes]]]:
    """`hire("box-1")`: a real agent process with the label local that allows everything."""
    started = []

    def start(name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "signalbox_agent", "--name", name, "--label", "local", "--slots", "2"]
        env = os.environ | {
            "PYTHONPATH": str(ROOT / "sdk"),
            "SIGNALBOX_URL": server.url,
            "SIGNALBOX_KEY": agent_key.token,
        }
        allowed = [*command, "--allow-all", "--cwd", str(tmp_path)]
        started.append(launch(allowed, log=tmp_path / f"{name}.log", env=env))
        return started[-1]

    yield start
    for process in started:
        end(process)


@pytest.fixture
def begin(api, alice, team) -> Callable[..., Awaitable[str]]:
    """`await begin({"Count": COUNT}, {"Report": "echo done"})`: a run with one dict of steps for each stage; its id."""

    where = {"shell": True, "label": "local"}

    async def begin(*stages: dict[str, str], **fields: Any) -> str:
        plan = [
            {
                "name": f"Stage {number}",
                "steps": [{"name": name, "run": line} | where | fields for name, line in steps.items()],
            }
            for number, steps in enumerate(stages, start=1)
        ]
        body = {"definition": {"name": f"Hello {uuid4().hex[:6]}", "stages": plan}, "team": team.id}
        project = await api(alice).post("/api/v1/projects/", json=body)
        assert project.status_code == 201, project.text
        run = await api(alice).post(f"/api/v1/projects/{project.json()['id']}/runs/", json={})
        assert run.status_code in (200, 201, 202), run.text
        return run.json()["id"]

    return begin


async def ended(page: Page, status: str = "completed") -> None:
    await expect(page.locator(f"#outcome[data-status={status}]")).to_be_visible(timeout=40_000)


def bars(page: Page, status: str = "") -> Any:
    return page.locator(f"run-timeline .track button{f'[data-status={status}]' if status else ''}")


async def shown(page: Page) -> dict[str, str]:
    """{step: status}, as the page shows it."""
    rows = await page.locator("[data-step]").all()
    return {
        await row.get_attribute("data-step") or "": await row.locator(".badge").get_attribute("data-status") or ""
        for row in rows
    }


async def truth(api, alice, run: str) -> dict[str, str]:
    found = (await api(alice).get(f"/api/v1/runs/{run}/")).json()
    return {step["key"]: step["status"] for stage in found["stages"] for step in stage["steps"]}


@on_both
async def test_a_run_is_watched_from_start_to_end_with_a_reload_in_the_middle(window, api, alice, hire, begin):
    hire("box-1")
    run = await begin({"Count": COUNT, "Short": "echo hi"}, {"Report": "echo reported"})
    page = await (await window(alice)).open(f"/runs/{run}/")
    await live(page)
    await expect(bars(page, "running").first).to_be_visible()
    await expect(page.locator("run-timer .left")).to_have_text("no estimate: the first run")
    before = await page.locator("run-timer .elapsed").inner_text()

    await page.reload()
    await live(page)
    await expect(page.locator("agent-card [data-field=name]")).to_have_text("box-1")
    await expect(page.locator("run-timer .elapsed")).not_to_have_text(before)
    await ended(page)
    await expect(bars(page, "completed")).to_have_count(3)
    words = "all => all.map(bar => [bar.clientWidth, bar.innerText.length])"
    for wide, letters in await bars(page).evaluate_all(words):
        assert (letters > 0) == (wide >= 48), (wide, letters)
    assert await shown(page) == await truth(api, alice, run)
    await expect(page.locator("#outcome")).to_contain_text("Completed: 3 of 3 steps in ")
    await expect(page.get_by_role("button", name="Cancel run")).to_be_hidden()

    await page.get_by_role("button", name="Run again").click()
    await page.wait_for_url(lambda url: run not in url)
    await expect(page.locator("run-timer .left")).to_contain_text("left")
    await expect(page.locator("run-tabs li")).to_have_count(2)
    await ended(page)


@pytest.mark.parametrize("size", [(1280, 900), (1366, 650), (375, 800)], ids=str)
async def test_the_newest_line_is_in_sight_from_start_to_end_and_nothing_jumps(size, window, alice, hire, begin):
    run = await begin({"Count": "seq 300; sleep 1", "Short": "echo hi"}, {"Report": "sleep 1; echo reported; exit 3"})
    page = await (await window(alice)).open(f"/runs/{run}/", {"width": size[0], "height": size[1]})
    await live(page)
    await expect(page.locator("#outcome p")).to_have_text("0 of 3 steps done.")
    console = page.locator("log-console")
    before = await console.bounding_box()
    assert before and before["y"] + before["height"] <= size[1]
    hire("box-1")
    hire("box-2")
    await ended(page, "failed")
    await expect(page.locator("#outcome")).to_contain_text("failed with exit code 3")
    await expect(page.locator(".lines", has_text="reported")).to_be_visible()
    assert await console.bounding_box() == before
    assert await page.evaluate("scrollY") == 0


@pytest.mark.own_server()
@on_both
async def test_a_server_killed_in_the_middle_costs_nothing(server, window, api, alice, hire, begin):
    hire("box-1")
    run = await begin({"Count": COUNT}, {"Report": "echo reported"})
    page = await (await window(alice)).open(f"/runs/{run}/")
    await live(page)
    await expect(bars(page, "running")).to_have_count(1)
    server.kill9()
    await expect(page.locator("stale-note")).to_have_text(re.compile(r"as it was at \d\d:\d\d( [AP]M)?\."))
    as_it_was = "document.querySelector('run-timer').textContent + document.querySelector('.track button').style.width"
    before = await page.evaluate(as_it_was)
    await page.wait_for_timeout(2500)
    assert await page.evaluate(as_it_was) == before
    await asyncio.to_thread(server.start)
    await live(page, 40)
    await expect(page.locator("stale-note .note")).to_be_hidden()
    await ended(page)
    assert await shown(page) == await truth(api, alice, run) == {"count": "completed", "report": "completed"}


async def test_an_agent_that_comes_in_later_has_a_card_with_what_it_does(window, alice, hire, begin):
    run = await begin({"Sleep": "sleep 60"})
    page = await (await window(alice)).open(f"/runs/{run}/")
    await live(page)
    await expect(page.locator("agent-card")).to_have_count(0)
    hire("box-1")
    row = page.locator("agent-card [data-command]")
    await expect(row.locator(".badge")).to_have_text("running")
    await row.get_by_role("button", name="Interrupt").click()
    await expect(row.locator(".badge")).to_have_text("cancelled")


async def test_two_who_watch_see_each_other(window, alice, bob, begin):
    run = await begin({"Wait": "echo nobody is there"})
    hers = await (await window(alice)).open(f"/runs/{run}/")
    await live(hers)
    await expect(hers.locator("who-watches")).to_be_hidden()
    his = await (await window(bob)).open(f"/runs/{run}/")
    await live(his)
    await expect(hers.locator("who-watches")).to_contain_text(f"{bob.username} watches too")
    await expect(his.locator("who-watches")).to_contain_text(f"{alice.username} watches too")
    await expect(hers.locator("#waiting")).to_contain_text("a free agent with the label local")
    await his.reload()
    await live(his)
    await expect(his.locator("who-watches")).to_contain_text(alice.username)
    await his.close()
    await expect(hers.locator("who-watches")).to_be_hidden()


async def test_who_looks_at_a_run_no_more_does_not_watch_it_even_if_another_tab_follows_it(window, alice, bob, begin):
    run = await begin({"Wait": "echo nobody is there"})
    hers = await (await window(alice)).open(f"/runs/{run}/")
    await live(hers)
    follows = await hers.locator("who-watches").get_attribute("data-follows")
    his = await window(bob)
    other = await his.open("/tasks/")
    await live(other)
    await other.evaluate(f"{script('here.js')}.then(({{client}}) => void client.follow('{follows}'))")
    shown = await his.open(f"/runs/{run}/")
    await expect(hers.locator("who-watches")).to_contain_text(f"{bob.username} watches too")
    await shown.evaluate("document.querySelector('who-watches').remove()")
    await expect(hers.locator("who-watches")).to_be_hidden()
    await shown.reload()
    await expect(hers.locator("who-watches")).to_contain_text(f"{bob.username} watches too")
    await shown.close()
    await expect(hers.locator("who-watches")).to_be_hidden()


async def test_a_failed_run_says_why_and_leads_to_its_lines(window, alice, hire, begin):
    hire("box-1")
    run = await begin({"Compile": "echo missing semicolon; exit 3", "Docs": "echo docs"}, {"Deploy": "echo never"})
    page = await (await window(alice)).open(f"/runs/{run}/")
    await ended(page, "failed")
    await expect(page.locator("#outcome")).to_contain_text('Step "Compile" failed with exit code 3')
    await page.get_by_role("button", name="Show output").click()
    await expect(page.locator("log-console .lines")).to_contain_text("missing semicolon")
    await expect(page.locator("log-console .lines")).not_to_contain_text("docs")
    assert await shown(page) == {"compile": "failed", "docs": "completed", "deploy": "skipped"}


async def test_retries_are_bars_of_their_own_and_the_keyboard_reaches_them(window, alice, hire, begin, tmp_path):
    hire("box-1")
    flaky = f"sleep 0.5; if [ -e {tmp_path}/tried ]; then echo well; else touch {tmp_path}/tried; exit 1; fi"
    run = await begin({"Flaky": flaky, "Calm": "echo calm; sleep 2"}, retries=2)
    page = await (await window(alice)).open(f"/runs/{run}/")
    await ended(page)
    await expect(bars(page, "failed")).to_have_count(1)
    await expect(bars(page, "completed")).to_have_count(2)
    again = page.get_by_role("button", name="Flaky, try 2: completed on box-1")
    first = page.get_by_role("button", name="Flaky: failed on box-1")
    await first.focus()
    await page.keyboard.press("End")
    await page.keyboard.press("Home")
    for _ in range(2):
        if await again.evaluate("button => button === document.activeElement"):
            break
        await page.keyboard.press("ArrowRight")
    await expect(again).to_be_focused()
    await expect(page.locator("run-timeline .detail")).to_contain_text("try 2")
    await page.keyboard.press("Enter")
    await expect(page.locator("log-console .lines")).to_contain_text("well")
    await expect(page.locator("log-console .lines")).not_to_contain_text("calm")

    # After a reload the tries come from the server.
    await page.reload()
    await expect(bars(page, "failed")).to_have_count(1)
    await expect(bars(page)).to_have_count(3)


async def test_polling_shows_the_same(window, api, alice, hire, begin):
    hire("box-1")
    run = await begin({"Count": COUNT}, {"Report": "echo reported"})
    page = await (await window(alice)).open(f"/runs/{run}/?transport=poll")
    await state(page, "polling")
    await ended(page)
    assert await shown(page) == await truth(api, alice, run)
    await expect(bars(page, "completed")).to_have_count(2)
    await expect(page.locator("agent-card [data-field=memory]")).to_have_text(re.compile(r"\d+ MB"))


async def test_a_wrong_clock_of_the_device_does_not_matter(window, alice, begin):
    run = await begin({"Wait": "echo nobody is there"})
    hers = await window(alice)
    await hers.context.add_init_script("const now = Date.now; Date.now = () => now() + 365 * 86400000")
    page = await hers.open(f"/runs/{run}/")
    await live(page)
    await expect(page.locator("run-timer .elapsed")).to_have_text(re.compile(r"^0:\d\d$"))


async def test_after_a_sleep_that_the_pages_clock_has_missed_the_time_is_right_again(window, alice, begin):
    run = await begin({"Wait": "echo nobody is there"})
    page = await (await window(alice)).open(f"/runs/{run}/")
    await live(page)
    elapsed = page.locator("run-timer .elapsed")
    await expect(elapsed).to_have_text(re.compile(r"^0:(0[3-9]|1\d)$"))  # a slow machine may be past the third second
    # As far as the page can tell it is an hour ago now, and the device's clock was an hour ahead of the page's.
    await page.evaluate("{ const now = performance.now.bind(performance); performance.now = () => now() - 3_600_000 }")
    await expect(elapsed).to_have_text("0:00")
    await page.evaluate("{ const now = Date.now; Date.now = () => now() + 3_600_000 }")
    await expect(elapsed).to_have_text(re.compile(r"^0:(0[4-9]|[1-3]\d)$"), timeout=15_000)


async def test_open_runs_stay_in_tabs_and_are_closed_by_the_keyboard(window, api, alice, begin):
    first, second = await begin({"Wait": "true"}), await begin({"Wait": "true"})
    hers = await window(alice)
    await hers.open(f"/runs/{first}/")
    page = await hers.open(f"/runs/{second}/")
    await live(page)
    tab = page.locator(f"run-tabs [data-open='{first}']")
    await expect(tab.locator(".dot")).to_have_attribute("data-status", "running")
    await expect(tab.locator("a")).to_contain_text(re.compile(r"Hello \w+ · \d\d:\d\d"))
    await api(alice).send_frame("run:cancel", f"run.{first}", id=uuid4().hex)
    await expect(tab.locator(".dot")).to_have_attribute("data-status", "cancelled")
    await page.locator("run-tabs a[aria-current]").focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Delete")
    await expect(page.locator("run-tabs li")).to_have_count(1)
    await expect(page.locator("run-tabs a[aria-current]")).to_be_focused()
    assert second in page.url


async def test_who_may_only_look_is_offered_nothing_else(window, victor, begin):
    run = await begin({"Wait": "true"})
    page = await (await window(victor)).open(f"/runs/{run}/")
    await expect(page.get_by_text("You may look")).to_be_visible()
    assert await page.locator("#run button").count() == 0


async def run_line(page: Page, line: str) -> None:
    await page.fill("#line", line)
    await page.click("form[data-action=request] button")


async def screen(page: Page) -> str:
    return await page.locator("agent-terminal .xterm-rows").inner_text()


async def an_agents_page(window, api, alice, hire) -> Page:
    hire("box-1")
    for _ in range(200):
        agents = (await api(alice).get("/api/v1/agents/")).json()["results"]
        if agents and agents[0]["status"] == "online":
            break
        await asyncio.sleep(0.1)
    page = await (await window(alice)).open(f"/agents/{agents[0]['id']}/")
    await live(page)
    return page


async def test_a_terminal_draws_everything_and_breaks_no_policy(window, api, alice, hire):
    page = await an_agents_page(window, api, alice, hire)
    await run_line(page, TRICKS)
    rows = page.locator("agent-terminal .xterm-rows")
    await expect(rows).to_contain_text("<b>bold</b>")
    await expect(rows).to_contain_text("true colour all")
    colour = await rows.get_by_text("true", exact=True).evaluate("span => getComputedStyle(span).color")
    assert colour == "rgb(255, 100, 0)"
    assert await page.title() == "box-1 · Signalbox"


async def test_a_terminal_is_replayed_from_any_point_and_lets_the_keyboard_go(window, api, alice, hire):
    page = await an_agents_page(window, api, alice, hire)
    await run_line(page, "for n in 1 2 3 4 5 6; do echo number $n; sleep 0.3; done")
    rows = page.locator("agent-terminal .xterm-rows")
    await expect(rows).to_contain_text("number 6")
    slider = page.get_by_role("slider", name="Point in its history")
    await slider.focus()
    for _ in range(3):
        await page.keyboard.press("ArrowLeft")
    await expect(rows).not_to_contain_text("number 6")
    await expect(rows).to_contain_text("number 2")
    await page.get_by_role("button", name="Play").click()
    await expect(rows).to_contain_text("number 6")
    await expect(page.locator("agent-terminal")).to_have_attribute("data-mode", "live")

    await page.locator("agent-terminal textarea").focus()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Play")).to_be_focused()
    await page.get_by_label("Screen reader").check()
    await expect(page.locator("agent-terminal .xterm-accessibility")).to_contain_text("number 6")
    await page.get_by_label("Find on screen").fill("number 4")
    await page.keyboard.press("Enter")
    await expect(page.locator("agent-terminal .xterm-selection div").first).to_be_attached()


async def test_an_interrupt_is_confirmed_step_by_step(window, api, alice, hire):
    page = await an_agents_page(window, api, alice, hire)
    await run_line(page, "sleep 60")
    row = page.locator("agent-card [data-command]").first
    await expect(row.locator(".badge")).to_have_text("running")
    interrupt = row.get_by_role("button", name="Interrupt")
    for size in ({"width": 1280, "height": 900}, {"width": 375, "height": 800}):
        await page.set_viewport_size(size)
        await expect(interrupt).to_be_in_viewport(ratio=1)
    await interrupt.click()
    await expect(row.locator(".badge")).to_have_text("cancelled")
    steps = row.locator(".interrupt li[data-done]")
    await expect(steps).to_have_text(
        ["sent", re.compile("delivered +"), re.compile("acknowledged +"), re.compile("stopped +")]
    )
    await page.reload()
    await expect(steps).to_have_count(4)
