"""Looking for something in the log console, in a real Chromium."""

import asyncio
import json
import re

import pytest
from playwright.async_api import expect

from tests.support.console import LINES, LOGS, TEXT, row, texts

pytestmark = pytest.mark.variants("uvicorn", "sqlite")
on_both = pytest.mark.variants("sqlite")


async def test_a_hit_in_what_is_not_shown_of_a_line_is_walked_to(log_of, look_at):
    record = json.dumps({"log": "x" * 3000, "why": "OutOfMemory"})
    page = await look_at(log_of(0, ("build", f"{record}\n{record}\n")))
    await page.set_viewport_size({"width": 1280, "height": 1200})
    await page.fill(".find", "outofmemory")
    await expect(page.locator(".place")).to_have_text("2 hits")
    more = page.locator(".more")
    await expect(more).to_have_text(["… 1,033 more characters, a hit among them"] * 2)
    await page.locator(".find").press("Enter")
    await expect(more).to_have_count(1)
    assert "".join(await page.locator(".current mark").all_inner_texts()) == "OutOfMemory"
    assert "OutOfMemory" in "".join(await texts(page))
    await more.click()
    await expect(more).to_have_count(0)
    await expect(page.locator(".place")).to_have_text("2 of 2")


async def test_words_are_found_counted_and_walked_through(log_of, look_at):
    page = await look_at(log_of(10_000))
    await page.fill(".find", "UNUSED variable `x_5")
    await expect(page.locator(".place")).to_have_text("23 hits")
    await page.locator(".find").press("Enter")
    await expect(page.locator(".place")).to_have_text("1 of 23")
    await page.locator(".find").press("Shift+Enter")
    await expect(page.locator(".place")).to_have_text("23 of 23")
    assert await page.locator(".current mark").inner_text() == "unused variable `x_5"
    await page.check("text=Only hits")
    await expect(page.locator("log-console .count")).to_have_text("23 lines")


async def test_a_regular_expression_and_what_is_wrong_with_it(log_of, look_at):
    page = await look_at(log_of(1000))
    await page.fill(".find", "/part-0+99\\b/")
    await expect(page.locator(".place")).to_have_text("1 hit")
    padding = "field => getComputedStyle(field).paddingLeft"
    before = await page.locator(".find").evaluate(padding)
    await page.fill(".find", "/part(/")
    await expect(page.locator(".foot .said")).to_contain_text("This is not a regular expression")
    await expect(page.locator(".place")).to_have_text("Not valid")
    await expect(page.locator(".find")).to_have_attribute("title", re.compile("not a regular expression"))
    await expect(page.locator(f"{LINES} mark")).to_have_count(0)
    assert await page.locator(".find").evaluate(padding) == before
    await page.fill(".find", "")
    await expect(page.locator(".foot .said")).to_be_hidden()


async def test_a_rare_word_is_found_by_the_server_and_hardly_anything_is_fetched(server, log_of, look_at):
    hidden = [("lint", "a \x1b[31mnee\x1b[1mdle"), ("build", "hay\n"), ("lint", " in\x1b[0m a haystack\n")]
    run = log_of(0, ("build", "hay\n" * 20_000), *hidden, *[("build", "hay\n" * 20)] * 6_000)
    page = await look_at(run)
    fetched = []
    page.on("request", lambda request: fetched.append(request.url) if "before=" in request.url else None)
    await page.fill(".find", "Needle IN a hay")
    await expect(page.locator(".place")).to_have_text("1 hit")
    await page.locator(".find").press("Enter")
    await expect(page.locator(".current .text")).to_have_text("a needle in a haystack")
    await expect(page.locator(".place")).to_have_text("1 of 1")
    assert len(fetched) < 8, fetched
    await page.check("text=Only hits")
    await expect(page.locator("log-console .count")).to_have_text("1 line")
    await expect(page.locator(TEXT)).to_have_text(["a needle in a haystack"])
    await page.wait_for_selector("connection-status[data-state=live]")
    server.do(f"{LOGS}:print_all", run["id"], [("build", "hay\none more needle in a hayloft\n")])
    await expect(page.locator(TEXT)).to_have_text(["a needle in a haystack", "one more needle in a hayloft"])
    await expect(page.locator(".place")).to_have_text("1 of 2")


async def test_one_arrives_where_one_wants_to_be_though_the_browser_scrolls_meanwhile(log_of, look_at):
    page = await look_at(log_of(0, ("build", "far\n"), *[("build", "near\n" * 20)] * 3_000))
    held = asyncio.Event()

    async def hold(route):
        await held.wait()
        await route.continue_()

    await page.fill(".find", "far")
    await expect(page.locator(".place")).to_have_text("1 hit")
    await page.route("**/api/v1/events/?*before=*", hold)
    await page.locator(".find").press("Enter")
    # As it does by itself when what has come makes the log shorter than it was taken for.
    await page.evaluate("document.querySelector('log-console .lines').scrollTop -= 30")
    await page.wait_for_timeout(100)
    held.set()
    await expect(page.locator(".current .text")).to_have_text("far")


async def test_typing_on_ends_the_search_before(log_of, look_at):
    page = await look_at(log_of(20_000))
    held = []

    async def hold(route):
        if "match=unused&" in f"{route.request.url}&" and not held:
            held.append(route)
        else:
            await route.continue_()

    await page.route("**/api/v1/events/?*match=*", hold)
    await page.fill(".find", "unused")
    await expect(page.locator(".place")).to_contain_text("+")
    await page.fill(".find", "unused variable `x_7750")
    await expect(page.locator(".place")).to_have_text("1 hit")
    await held[0].abort()
    await page.wait_for_timeout(300)
    await expect(page.locator(".place")).to_have_text("1 hit")
    await expect(page.locator(".foot .said")).to_be_hidden()


async def test_a_search_that_fails_says_so_and_is_tried_again(log_of, look_at):
    page = await look_at(log_of(20_000))
    await page.route("**/api/v1/events/?*match=*", lambda route: route.abort())
    await page.fill(".find", "unused variable `x_7750")
    await expect(page.locator(".foot .said")).to_have_text("The server can’t be reached.")
    await expect(page.locator("log-console .work")).to_have_text("Not all of the log was looked through.")
    await expect(page.locator(".place")).to_have_text("No hits so far")
    await page.unroute("**/api/v1/events/?*match=*")
    await page.click("text=Try again")
    await expect(page.locator(".place")).to_have_text("1 hit")
    await expect(page.locator(".foot .said")).to_be_hidden()


async def test_what_could_not_be_had_is_said_once_however_often_it_is_tried(log_of, look_at):
    page = await look_at(log_of(60_000))
    await expect(page.locator("log-console .count")).not_to_have_text("")
    tried = []

    async def refuse(route):
        tried.append(route)
        await route.abort()

    await page.route("**/api/v1/events/?*before=*", refuse)
    await page.evaluate(
        """() => {
          const options = { childList: true, attributeFilter: ['hidden'] }
          window.told = []
          new MutationObserver(() => told.push(1)).observe(document.querySelector('log-console .said'), options)
          const view = document.querySelector('log-console .lines')
          view.scrollTop = view.scrollHeight / 2
        }"""
    )
    await expect(page.locator(".foot .said")).to_have_text("The server can’t be reached.")
    while len(tried) < 3:
        await page.wait_for_timeout(100)
    assert await page.evaluate("told.length") == 1
    # It is tried by itself, too: once it can be had, the button may be gone before it is pressed.
    await page.get_by_role("button", name="Try again").focus()
    await page.unroute("**/api/v1/events/?*before=*")
    await page.keyboard.press("Enter")
    await expect(page.locator(".foot .said")).to_be_hidden()
    await expect(page.locator(TEXT).first).to_be_visible()
    # The button is gone, and whoever pressed it is with the lines.
    await expect(page.locator(LINES)).to_be_focused()


async def test_filters_find_lines_in_all_of_the_log(server, log_of, look_at):
    run = log_of(20_000)
    server.do(f"{LOGS}:print_all", run["id"], [("lint", "it broke\n")], level="error")
    page = await look_at(run)
    await page.click("summary:has-text('Filter')")
    await page.select_option("label:has-text('Level') select", "error")
    await expect(page.locator("log-console .count")).to_have_text("1 line")
    await expect(page.locator(TEXT)).to_have_text(["it broke"])
    await page.select_option("label:has-text('Level') select", "")
    await page.select_option("label:has-text('Type') select", "events")
    await expect(row(page, "Stage all: running")).to_be_visible()
    await page.select_option("label:has-text('Type') select", "stages")
    await expect(page.locator(TEXT)).to_have_text(["Stage all: running"])


async def test_filters_and_words_survive_a_reload_at_the_same_line(log_of, look_at):
    page = await look_at(log_of(30_000))
    await page.click("summary:has-text('Filter')")
    await page.select_option("label:has-text('Step') select", "lint")
    await page.fill(".find", "warning")
    await page.check("text=Only hits")
    await expect(page.locator(".place")).to_contain_text(re.compile(r"^\d+ hits"))
    hits = await page.locator(".place").inner_text()
    await page.hover(LINES)
    await page.mouse.wheel(0, -1500)
    await page.wait_for_timeout(600)
    before = await texts(page)
    await page.reload()
    await expect(page.locator(".place")).to_have_text(hits)
    await expect(page.locator("summary:has-text('Filter')")).to_have_text("Filter: 1")
    await expect(page.locator(".find")).to_have_value("warning")
    assert (await texts(page))[:5] == before[:5]
    await page.click("summary:has-text('Filter')")
    await page.click("text=Show everything")
    assert await page.input_value("label:has-text('Step') select") == ""


@pytest.mark.parametrize("width", [1280, 375])
async def test_the_place_among_the_hits_is_whole_on_every_screen(width, log_of, look_at):
    page = await look_at(log_of(10_000))
    await page.set_viewport_size({"width": width, "height": 800})
    await page.fill(".find", "warning")
    await expect(page.locator(".place")).to_have_text("200 hits")
    await page.locator(".find").press("Shift+Enter")
    await expect(page.locator(".place")).to_have_text("200 of 200")
    place = page.locator(".place")
    assert await place.evaluate("place => place.scrollWidth <= place.clientWidth && place.clientWidth > 0")
    left, right = await place.bounding_box(), await page.get_by_role("button", name="Previous hit").bounding_box()
    assert left["x"] + left["width"] <= right["x"]
