"""The log console in a real Chromium, over runs whose logs are written beside it."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.support.console import LINES, LOGS, SHOWN, TEXT, press, row, texts
from tests.support.pages import script

pytestmark = pytest.mark.variants("uvicorn", "sqlite")
on_both = pytest.mark.variants("sqlite")


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
