"""The log console in a real Chromium, over runs whose logs are written beside it."""

import asyncio
import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.support.pages import script

pytestmark = pytest.mark.variants("uvicorn", "sqlite")
on_both = pytest.mark.variants("sqlite")

LINES = "log-console .lines"
SHOWN = "log-console .line[data-address]"
TEXT = f"{SHOWN} .text"
LOGS = "tests.support.logs"


@pytest.fixture
def log_of(server, alice, team):
    """`log_of(1000)`: a run of alice's whose steps have printed so many lines."""

    def log_of(lines=0, *texts):
        run = server.do(f"{LOGS}:run_with_log", alice.id, str(team["id"] if isinstance(team, dict) else team.id), lines)
        if texts:
            server.do(f"{LOGS}:print_all", run["id"], texts)
        return run

    return log_of


@pytest.fixture
def look_at(window, alice):
    """`look_at(run)`: alice's page of a run, its log loaded."""

    async def look_at(run, hash="", **media):
        hers = await window(alice)
        await hers.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = await hers.open(f"/runs/{run['id']}/{hash}")
        await page.locator(SHOWN).first.wait_for()
        return page

    return look_at


@pytest.fixture
def remove(server):
    """`remove(run, but=2)`: retention has left that many events. Gives the head."""

    def remove(run, but):
        sql = "tests.support.seed:sql"
        [[head]] = server.do(sql, "SELECT seq FROM events_head WHERE topic = %s", run["topic"])
        server.do(sql, "UPDATE events_head SET floor = %s WHERE topic = %s", head - but, run["topic"])
        server.do(sql, "DELETE FROM events_storedevent WHERE topic = %s AND seq <= %s", run["topic"], head - but)
        return head

    return remove


async def texts(page):
    """What the window shows, row by row."""
    return await page.evaluate(
        """() => {
          const view = document.querySelector('log-console .lines').getBoundingClientRect()
          return [...document.querySelectorAll('log-console .line[data-address]')]
            .map((row) => [row.getBoundingClientRect(), row.querySelector('.text').textContent])
            .filter(([place]) => place.top >= view.top - 1 && place.bottom <= view.bottom + 1)
            .map(([, text]) => text)
        }"""
    )


def row(page, text):
    return page.locator(SHOWN, has=page.locator(f".text:text-is('{text}')"))


async def prefer(page, **prefs):
    await page.evaluate("prefs => localStorage.setItem('signalbox:log', JSON.stringify(prefs))", prefs)


async def press(page, *keys):
    await page.focus(LINES)
    for key in keys:
        await page.keyboard.press(key)


async def test_lines_that_were_cut_anywhere_are_whole_again(log_of, look_at):
    run = log_of(0, ("build", "one t"), ("lint", "eins\nzw"), ("build", "wo\nth"), ("lint", "ei\n"), ("build", "ree\n"))
    page = await look_at(run)
    assert await texts(page) == ["one two", "eins", "zwei", "three"]


@on_both
async def test_terminal_tricks_are_harmless_text(log_of, look_at):
    tricks = (
        "\x1b]8;;https://evil.test\x1b\\click\x1b]8;;\x1b\\ \x1b[2J\x1b[9;9Hhere\n<script>document.title='x'</script>\n"
    )
    page = await look_at(log_of(0, ("build", tricks), ("build", "10 %\r20 %\rdone\n"), ("build", "abc\b\bX\x1b[K\n")))
    assert await texts(page) == ["click here", "<script>document.title='x'</script>", "done", "aX"]
    assert await page.locator(f"{LINES} a:not(.number)").count() == 0
    assert await page.title() != "x"


async def test_colours_are_classes_and_true_colours_keep_their_hue(log_of, look_at):
    page = await look_at(log_of(0, ("build", "\x1b[1;31mred\x1b[0m \x1b[38;2;255;136;0morange\x1b[0m\n")))
    assert await page.locator(".sgr-bold.sgr-f1").inner_text() == "red"
    orange = page.locator(".sgr-f")
    assert await orange.evaluate("node => node.style.getPropertyValue('--f')") == "#ff8800"
    assert await orange.evaluate("node => getComputedStyle(node).color") != await page.locator(SHOWN).first.evaluate(
        "node => getComputedStyle(node).color"
    )


@on_both
async def test_a_megabyte_without_a_newline_is_shown_bit_by_bit(log_of, look_at):
    page = await look_at(log_of(0, *[("build", "x" * 16_000)] * 64, ("build", "\nafter\n")))
    more = page.locator(".more")
    await expect(more).to_have_text("… 1,022,000 more characters")
    await press(page, "Home", "j", "x", "End")
    await expect(more).to_have_text("… 1,006,000 more characters")
    await expect(page.locator(TEXT).last).to_have_text("after")


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


async def test_a_long_log_is_scrolled_back_to_its_first_line(log_of, look_at):
    page = await look_at(log_of(60_000, ("build", "the end\n")))
    await expect(row(page, "the end")).to_be_visible()
    await page.hover(LINES)
    await page.mouse.wheel(0, -4000)
    await expect(page.locator(".follow")).to_be_visible()
    await press(page, "Home")
    await expect(row(page, "   Compiling part-0000001 v0.1.1 (/work/parts/1) in 1 ms")).to_be_visible()
    # Somewhere in the middle, by the scrollbar: what is fetched fits what was there.
    await page.evaluate(
        "(() => { const v = document.querySelector('log-console .lines'); v.scrollTop = v.scrollHeight / 2 })()"
    )
    await expect(page.locator(".blank")).to_be_hidden()
    await page.wait_for_timeout(500)
    numbers = [int(found[1]) for text in await texts(page) if (found := re.search(r"part-(\d+)", text))]
    assert len(numbers) > 10
    assert 20_000 < numbers[0] < 40_000
    await page.click(".follow")
    await expect(row(page, "the end")).to_be_visible()


async def test_there_are_lines_at_the_end_in_each_frame_while_they_come(server, log_of, look_at):
    run = log_of(300)
    page = await look_at(run)
    await page.wait_for_selector("connection-status[data-state=live]")
    await page.evaluate(
        """() => {
          const view = document.querySelector('log-console .lines')
          globalThis.blanks = 0
          const look = () => {
            const { left, width, bottom } = view.getBoundingClientRect()
            if (!document.elementFromPoint(left + width / 2, bottom - 30)?.closest('.line')) blanks += 1
          }
          const { port1, port2 } = new MessageChannel()
          port1.onmessage = look
          // After all that is done before this frame is shown.
          const each = () => {
            port2.postMessage(0)
            requestAnimationFrame(each)
          }
          each()
        }"""
    )
    for _ in range(24):
        server.do(f"{LOGS}:print_all", run["id"], [("build", "more\n" * 100)])
        await page.wait_for_timeout(100)
    await expect(page.locator("log-console .count")).to_have_text("2,700 lines")
    assert await page.evaluate("blanks") <= 2


async def test_it_follows_until_somebody_scrolls_up(server, log_of, look_at):
    run = log_of(300)
    page = await look_at(run)
    await page.wait_for_selector("connection-status[data-state=live]")
    server.do(f"{LOGS}:print_all", run["id"], [("build", "fresh\n")])
    await expect(row(page, "fresh")).to_be_visible()
    await page.hover(LINES)
    await page.mouse.wheel(0, -2000)
    await expect(page.locator(".follow")).to_be_visible()
    await page.wait_for_timeout(500)
    before = await texts(page)
    server.do(f"{LOGS}:print_all", run["id"], [("build", "newer\n" * 12)])
    await expect(page.locator(".follow")).to_have_text("↓ Jump to latest: 12 new")
    assert await texts(page) == before
    await page.click(".follow")
    await expect(row(page, "newer").last).to_be_visible()


async def test_paused_it_stands_still_and_loses_nothing(server, log_of, look_at):
    run = log_of(0, ("build", "first\n"))
    page = await look_at(run)
    await page.wait_for_selector("connection-status[data-state=live]")
    await press(page, "p")
    server.do(f"{LOGS}:print_all", run["id"], [("build", "later\n" * 4212)])
    await expect(page.locator("log-console .tools > button")).to_have_text("Resume: 4,212 new")
    assert await texts(page) == ["first"]
    await press(page, "p")
    await expect(page.locator("log-console .count")).to_have_text("4,213 lines")


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
    await page.unroute("**/api/v1/events/?*before=*")
    again = page.get_by_role("button", name="Try again")
    await again.focus()
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


async def test_a_link_to_a_line_opens_there_and_survives_a_reload(log_of, look_at):
    run = log_of(30_000)
    page = await look_at(run)
    await press(page, "Home")
    target = row(page, "   Compiling part-0000007 v0.7.1 (/work/parts/7) in 7 ms")
    await target.locator(".number").click()
    link = await page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    assert re.search(r"#L\d+\.\d+$", link)

    other = await look_at(run, link[link.index("#") :])
    await expect(other.locator(".current .text")).to_have_text(
        "   Compiling part-0000007 v0.7.1 (/work/parts/7) in 7 ms"
    )
    await other.hover(LINES)
    await other.mouse.wheel(0, 3000)
    await other.wait_for_timeout(600)
    before = await texts(other)
    await other.reload()
    await other.locator(SHOWN).first.wait_for()
    await other.wait_for_timeout(600)
    assert (await texts(other))[:5] == before[:5]


async def test_what_is_copied_is_clean_text(log_of, look_at):
    page = await look_at(log_of(0, ("build", "\x1b[32mgreen\x1b[0m one\n" + "w" * 300 + "\nthree\n")))
    await page.focus(LINES)
    await page.evaluate(
        """() => {
          const rows = [...document.querySelectorAll('log-console .line[data-address]')]
          getSelection().setBaseAndExtent(rows[0].querySelector('.text'), 0, rows.at(-1).querySelector('.text'), 1)
        }"""
    )
    await page.keyboard.press("Control+c")
    assert await page.evaluate("navigator.clipboard.readText()") == "green one\n" + "w" * 300 + "\nthree"


async def test_the_whole_log_is_downloaded(log_of, look_at, tmp_path: Path):
    page = await look_at(log_of(5_000, ("lint", '=1+1, "quoted"\n'), ("lint", "half")))

    async def saved(kind):
        await page.click("summary:has-text('Download')")
        async with page.expect_download() as coming:
            await page.click(f".panel button:text-is('{kind}')")
        file = tmp_path / kind
        await (await coming.value).save_as(file)
        return file.read_text(encoding="utf-8-sig")

    lines = (await saved("Text")).splitlines()
    assert sum("Compiling" in line or "warning" in line for line in lines) == 5000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \[lint\] half", lines[-1])
    facts = json.loads(await saved("JSON"))
    assert {"time", "stage", "step", "agent", "level", "event", "line", "text"} == set(facts[0])
    assert len(facts) == len(lines)
    rows = list(csv.DictReader(io.StringIO(await saved("CSV"))))
    assert len(rows) == len(lines)
    assert rows[-2]["text"] == '\'=1+1, "quoted"'


async def test_steps_are_folded(log_of, look_at):
    page = await look_at(log_of(0, ("build", "b1\nb2\n"), ("lint", "l1\nl2\n"), ("build", "b3\n")))
    await page.click(".fold >> nth=0")
    await expect(page.locator("log-console .count")).to_have_text("3 lines")
    await expect(page.locator(TEXT)).to_have_text(["b1", "l1", "l2"])
    await page.click(".fold >> nth=0")
    await expect(page.locator(TEXT)).to_have_text(["b1", "b2", "l1", "l2", "b3"])


async def test_it_jumps_to_a_time(server, log_of, look_at):
    run = log_of(0, ("build", "old\n" * 100), ("build", "the moment\n"), *[("build", "young\n" * 100)] * 3)
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)

    def date_back(hours, words):
        sql = "UPDATE events_storedevent SET created_at = %s WHERE topic = %s AND data LIKE %s"
        server.do("tests.support.seed:sql", sql, str(now - timedelta(hours=hours)), run["topic"], words)

    for hours, words in ((9, "%"), (3, "%old%"), (2, "%moment%"), (1, "%young%")):
        date_back(hours, words)
    page = await look_at(run)
    await page.click("summary:has-text('View')")
    at = (now - timedelta(hours=2)).replace(tzinfo=UTC).timestamp() * 1000
    to_local = "at => new Date(at - new Date(at).getTimezoneOffset() * 60000).toISOString().slice(0, 19)"
    await page.fill("input[type=datetime-local]", await page.evaluate(to_local, at))
    await page.locator("input[type=datetime-local]").press("Enter")
    await expect(page.locator(".current .text")).to_have_text("the moment")


async def test_a_project_card_opens_the_log_of_its_newest_run(server, log_of, window, alice):
    run = log_of(0, ("build", "first\n"))
    page = await (await window(alice)).open("/projects/")
    await page.wait_for_selector("connection-status[data-state=live]")
    await page.click(f"[data-project='{run['project']}'] [data-action=logs]")
    await expect(page.locator("dialog .line[data-address] .text")).to_have_text("first")
    server.do(f"{LOGS}:print_all", run["id"], [("build", "second\n")])
    await expect(page.locator("dialog .line[data-address] .text").last).to_have_text("second")
    assert f"/runs/{run['id']}/" in await page.locator("dialog h2 a").get_attribute("href")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog.logs")).to_have_count(0)
    await page.click(f"[data-project='{run['project']}'] [data-action=logs]")
    await expect(page.locator("dialog .line[data-address] .text")).to_have_text(["first", "second"])


async def test_a_selection_that_ends_beside_the_dialog_leaves_it_open(log_of, window, alice):
    run = log_of(40)
    page = await (await window(alice)).open("/projects/")
    await page.locator(f"[data-project='{run['project']}'] >> text=Logs").click()
    await page.locator("dialog .line[data-address] .text").first.hover()
    await page.mouse.down()
    await page.mouse.move(3, 300)
    await page.mouse.up()
    await expect(page.locator("dialog.logs")).to_be_visible()
    await page.mouse.click(3, 300)
    await expect(page.locator("dialog.logs")).to_have_count(0)


async def test_in_a_dialog_on_a_phone_close_is_beside_the_title(log_of, window, alice):
    run = log_of(0, ("build", "first\n"))
    page = await (await window(alice)).open("/projects/", {"width": 375, "height": 800})
    await page.wait_for_selector("connection-status[data-state=live]")
    await page.click(f"[data-project='{run['project']}'] [data-action=logs]")
    await expect(page.locator("dialog .line[data-address] .text")).to_have_text("first")
    title = await page.locator("dialog.logs h2").bounding_box()
    close = await page.get_by_role("button", name="Close", exact=True).bounding_box()
    assert title and close and abs(title["y"] + title["height"] / 2 - close["y"] - close["height"] / 2) < 8


async def test_a_log_in_a_dialog_begins_again_when_its_history_is_gone(server, log_of, remove, window, alice):
    run = log_of(0, *[("build", f"line {n}\n") for n in range(1, 6)])
    page = await (await window(alice)).open("/projects/")
    await page.click(f"[data-project='{run['project']}'] [data-action=logs]")
    lines = page.locator("dialog .line[data-address] .text")
    await expect(lines).to_have_count(5)
    head = remove(run, but=2)
    reset = f"client.follow('{run['topic']}').reset({{epoch: '', head: {head}}})"
    await page.evaluate(f"{script('here.js')}.then(({{client}}) => {reset})")
    await expect(lines).to_have_text(["line 4", "line 5"])
    server.do(f"{LOGS}:print_all", run["id"], [("build", "line 6\n")])
    await expect(lines).to_have_text(["line 4", "line 5", "line 6"])


async def test_a_link_to_a_line_that_was_removed_says_so(log_of, remove, look_at):
    run = log_of(0, *[("build", f"line {n}\n") for n in range(1, 300)])
    remove(run, but=20)
    page = await look_at(run, "#L50.0")
    await expect(page.locator(".foot .said")).to_have_text("The line of this link was removed from the log.")
    assert (await texts(page))[0] == "line 280"
    assert await page.locator(".current").count() == 0


async def test_a_link_to_a_line_that_never_was_says_so_where_one_sees_it(log_of, look_at):
    page = await look_at(log_of(300), "#L99999.0")
    said = page.locator(".foot .said")
    await expect(said).to_have_text("That line is not in this log.")
    await expect(said).to_be_in_viewport(ratio=1)


async def test_wide_characters_wrap_where_a_terminal_would(log_of, look_at):
    page = await look_at(log_of(0, ("build", "漢字" * 100 + "\ne\u0301nd\n")))
    rows = await texts(page)
    assert "".join(rows[:-1]) == "漢字" * 100
    assert len(rows) > 3
    assert rows[-1] == "e\u0301nd"


async def test_what_was_drawn_before_it_was_seen_is_wrapped_too(server, team, window, alice):
    path = server.do(f"{LOGS}:agent_with_output", team.id, "w" * 1000 + "\n")
    page = await (await window(alice)).open(path)
    await page.locator(SHOWN).first.wait_for(state="attached")
    await page.click("[data-view=lines]")
    await expect(page.locator(TEXT).nth(5)).to_be_visible()
    assert await page.locator(LINES).evaluate("view => view.scrollWidth <= view.clientWidth")


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


async def test_what_one_prefers_is_kept(log_of, look_at):
    page = await look_at(log_of(0, ("build", "w" * 500 + "\nx\n")))
    assert len(await texts(page)) > 2
    await press(page, "w", "t", "t")
    await expect(page.locator(TEXT)).to_have_count(2)
    await page.reload()
    await page.locator(SHOWN).first.wait_for()
    assert len(await texts(page)) == 2
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}", await page.locator(".at >> nth=1").inner_text())


async def test_a_task_that_printed_nothing_says_so_and_counts_no_filter(server, team, window, alice):
    agent = server.do(f"{LOGS}:agent_with_output", team.id, "another's\n")
    task = server.do("tests.support.scene:task", team.id, alice.id, "completed")
    server.do("tests.support.scene:printed", str(task), agent.split("/")[2], "")
    page = await (await window(alice)).open(f"/tasks/{task}/")
    await expect(page.locator(".state")).to_have_text("It printed nothing.")
    await expect(page.locator("log-console .count")).to_have_text("0 lines")
    filters = page.locator("summary:has-text('Filter')")
    await expect(filters).to_have_text("Filter")
    await filters.click()
    await page.select_option("label:has-text('Step') select", "")
    await expect(filters).to_have_text("Filter: 1")
    await expect(page.locator(TEXT).first).to_have_text("another's")
    await page.click("text=Show everything")
    await expect(page.locator(".state")).to_have_text("It printed nothing.")
    await page.fill(".find", "anything")
    await page.check("text=Only hits")
    await expect(page.locator(".state")).to_have_text("No line matches.")


async def test_a_menu_ends_where_the_window_does_and_speaks_of_keys_only_to_who_has_some(
    log_of, look_at, window, alice
):
    run = log_of(300)
    page = await look_at(run)
    await page.click("summary:has-text('View')")
    await page.wait_for_timeout(200)
    panel = await page.locator("details[open] .panel").bounding_box()
    assert panel and panel["y"] + panel["height"] <= 900
    await expect(page.locator("log-console .keys")).to_have_css("display", "grid")
    phone = await page.context.browser.new_context(has_touch=True, is_mobile=True)
    await phone.add_cookies(await page.context.cookies())
    held = await phone.new_page()
    await held.goto(page.url)
    await held.click("summary:has-text('View')")
    await expect(held.locator("log-console .keys")).to_be_hidden()
    await phone.close()


async def test_a_log_that_is_over_cannot_be_paused(api, log_of, look_at, alice):
    run = log_of(10)
    page = await look_at(run)
    await page.wait_for_selector("connection-status[data-state=live]")
    pause = page.get_by_role("button", name="Pause")
    await expect(pause).to_be_visible()
    await api(alice).send_frame("run:cancel", run["topic"], id=uuid4().hex)
    await expect(pause).to_be_hidden()
    await page.reload()
    await page.locator(SHOWN).first.wait_for()
    await expect(pause).to_be_hidden()


async def test_an_empty_log_says_so(log_of, window, alice):
    page = await (await window(alice)).open(f"/runs/{log_of()['id']}/")
    await expect(page.locator(".state")).to_have_text("Nothing has been printed yet.")
