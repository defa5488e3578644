"""What people do on the pages; what comes through the socket or a poll, against servers of both kinds."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.support.pages import live, script, state

pytestmark = pytest.mark.variants("uvicorn-sqlite")
on_both = pytest.mark.variants("sqlite")


@pytest.fixture
def pages(server, team, alice):
    return server.do("tests.support.scene:fill", team.id, alice.id)


@on_both
async def test_every_page_comes_alive(window, alice, pages):
    hers = await window(alice)
    for name, path in pages.items():
        page = await hers.open(path)
        await live(page)
        assert await page.locator("main").inner_text(), name
        await page.close()


async def test_numbers_lists_and_toasts_change_in_place(server, window, team, alice, pages):
    page = await (await window(alice)).open("/")
    await live(page)
    await page.locator("#overview a:has-text('make lint queued')").focus()
    await page.evaluate("window.isTheSamePage = true")
    failed = page.locator(".tile", has_text="Failed").locator("b")
    before = int(await failed.inner_text())

    new = server.do("tests.support.scene:task", team.id, alice.id, "running", "make docs")
    await page.wait_for_selector("#overview >> text=make docs running")
    server.do("tests.support.scene:end_task", new, "failed")
    await expect(failed).to_have_text(str(before + 1))
    await page.wait_for_selector(".toast[data-level=error] >> text=Task failed")
    assert await page.evaluate("document.activeElement.textContent") == "make lint queued"
    assert await page.evaluate("window.isTheSamePage")

    await page.keyboard.press("Escape")
    await expect(page.locator(".toast")).to_have_count(0)


async def test_toasts_of_one_kind_are_counted_and_never_too_many(window, alice):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    await page.evaluate(f"""{script("elements/toast-list.js")}.then(({{ toast }}) => {{
        for (let n = 0; n < 3; n++) toast({{ words: 'Task failed', many: '% tasks failed', group: 'a', level: 'error' }})
        for (let n = 0; n < 9; n++) toast({{ words: `Note ${{n}}` }})
    }})""")
    assert await page.locator(".toast b").all_inner_texts() == [f"Note {n}" for n in range(4, 9)]
    await page.locator(".toast button").first.focus()
    await page.keyboard.press("Escape")
    assert await page.locator(".toast b").all_inner_texts() == [f"Note {n}" for n in range(5, 9)]
    assert await page.evaluate("document.activeElement.closest('.toast') !== null")


async def test_a_page_says_that_it_stands_still_and_leads_on(window, team, alice):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    note = page.locator("stale-note .note")
    await expect(note).to_be_hidden()
    topic = team.topic
    told = f"{{ type: '%s', topic: '{topic}', data: {{}} }}"
    tell = f"void {script('here.js')}.then(({{client}}) => client.follow('{topic}').tell({told}))"
    await page.evaluate(tell % "unsubscribed")
    await expect(note).to_contain_text("You may not see all of this any more")
    await expect(page.locator("main[data-stale]")).to_be_visible()
    await note.get_by_role("button", name="Reload").click()
    await live(page)
    await expect(note).to_be_hidden()

    # Its history is gone: it is loaded again at once, but not again and again.
    async with page.expect_event("load"):
        await page.evaluate(tell % "reset")
    await live(page)
    await page.evaluate(tell % "reset")
    await expect(note).to_contain_text("out of date")


@on_both
async def test_the_dashboard_works_by_polling(server, window, team, alice):
    page = await (await window(alice)).open("/?transport=poll")
    await state(page, "polling")
    server.do("tests.support.scene:task", team.id, alice.id, "running", "make docs")
    await page.wait_for_selector("#overview >> text=make docs running")


async def test_tasks_are_filtered_by_state_and_words(server, window, team, alice, pages):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    await page.click("#states >> text=Running")
    await live(page)
    rows = page.locator("#tasks tr:visible")
    await expect(rows.locator("code")).to_have_text(["make lint running"])

    new = server.do("tests.support.scene:task", team.id, alice.id, "running", "make docs")
    await expect(rows).to_have_count(2)
    await expect(page.locator("#states [aria-current] .number")).to_have_text("2")
    await page.fill("#filter", "DOCS make")
    await expect(rows).to_have_count(1)
    server.do("tests.support.scene:end_task", new, "completed")
    await page.wait_for_selector("text=No task here has these words.")
    await page.click("text=Show all")
    await expect(rows).to_have_count(1)


async def test_more_agents_than_a_page_shows_come_and_go_without_a_reload(server, window, team, alice):
    server.do("tests.support.scene:agents", team.id, [f"box-{n:02}" for n in range(30)])
    page = await (await window(alice)).open("/agents/")
    await live(page)
    await page.evaluate("window.isTheSamePage = true")
    cards = page.locator("agent-card h2")
    await expect(page.locator("nav.pages")).to_contain_text("1–24 of 30 agents")

    server.do("tests.support.scene:agents", team.id, ["box-29"])  # has no card here
    server.do("tests.support.scene:agents", team.id, ["a new one"])
    await expect(cards.first).to_have_text("a new one")
    await expect(cards).to_have_count(24)
    await expect(page.locator("nav.pages")).to_contain_text("1–24 of 31 agents")
    assert await page.evaluate("window.isTheSamePage")

    await page.locator("[data-filter]").press_sequentially("29")
    await expect(cards).to_have_text(["box-29"])
    assert await page.evaluate("document.activeElement.matches('[data-filter]') && window.isTheSamePage")
    await page.fill("[data-filter]", "nobody")
    await page.wait_for_selector("text=No agent here has “nobody” in its name.")
    await page.reload()
    assert await page.input_value("[data-filter]") == "nobody"
    await page.fill("[data-filter]", "")
    await expect(cards).to_have_count(24)


async def test_what_was_typed_is_kept_until_the_server_has_it(window, alice, pages):
    hers = await window(alice)
    page = await hers.open(pages["agent"])
    await live(page)
    await page.fill("#line", "uname -a")
    await page.reload()
    assert await page.input_value("#line") == "uname -a"
    await live(page)
    await page.locator("#line").press("Enter")
    await page.wait_for_selector("agent-card >> text=uname -a")
    await expect(page.locator("#line")).to_have_value("")
    await page.reload()
    assert await page.input_value("#line") == ""

    page = await hers.open("/tasks/")
    await live(page)
    await page.fill("#query", "echo one")
    await page.locator("#query").press("Shift+Enter")
    await page.keyboard.type("echo two")
    await page.reload()
    assert await page.input_value("#query") == "echo one\necho two"

    await live(page)
    await page.evaluate("document.querySelector('#who').add(new Option('gone', 'agent:gone', true, true))")
    await page.locator("#query").press("Enter")
    await page.wait_for_selector("#submit .problem:has-text('no agent called \"gone\"')")
    assert await page.input_value("#query") == "echo one\necho two"
    await page.select_option("#who", "")
    await page.click("#submit button")
    await page.wait_for_selector("#tasks >> text=echo two")
    await page.reload()
    assert await page.input_value("#query") == ""


async def test_who_presses_a_button_with_the_keyboard_stays_with_it(window, alice, pages):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    await page.fill("#query", "echo one")
    button = page.locator("#submit button")
    await button.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#tasks >> text=echo one")
    await expect(button).to_be_focused()


async def test_spaces_alone_are_no_task_no_command_and_no_session(window, alice, pages):
    hers = await window(alice)
    for path, field, listed in [
        ("/tasks/", "#query", "#tasks tr"),
        (pages["agent"], "#line", "agent-card [data-command]"),
        ("/chat/", "#title", "#sessions [data-session]"),
    ]:
        page = await hers.open(path)
        await live(page)
        before = await page.locator(listed).count()
        await page.fill(field, "   ")
        await page.press(field, "Enter")
        assert await page.evaluate(f"!document.querySelector('{field}').validity.valid") or await page.is_visible(
            "#submit .problem:has-text('Write what should be done')"
        )
        assert await page.locator(listed).count() == before and page.url.endswith(path)
        await page.close()


async def test_lists_are_in_the_order_that_a_reload_shows_and_not_longer(server, window, team, alice, pages):
    page = await (await window(alice)).open("/tasks/?state=running")
    await live(page)
    rows = page.locator("#tasks tr")
    queries = rows.locator("code")
    first = rows.first
    for n in range(101):
        server.do("tests.support.scene:task", team.id, alice.id, "running", f"make {n}")
    await expect(queries.first).to_have_text("make 100 running")
    await expect(rows).to_have_count(100)
    shown = await queries.all_inner_texts()
    await page.reload()
    assert await queries.all_inner_texts() == shown

    # What one stands on goes when it is not in this state any more, and the focus stays with the list.
    await live(page)
    ending = await first.get_attribute("data-task")
    await first.locator("button").focus()
    await first.hover()
    server.do("tests.support.scene:end_task", ending, "completed")
    await expect(queries.first).to_have_text("make 99 running")
    await expect(page.locator("#tasks")).to_be_focused()


async def test_a_project_shows_its_runs_as_a_reload_does(window, api, alice, pages):
    page = await (await window(alice)).open(pages["project"])
    await live(page)
    rows = page.locator("[data-runs] [data-run]")
    project = pages["project"].split("/")[2]
    for _ in range(21):
        newest = (await api(alice).post(f"/api/v1/projects/{project}/runs/", json={})).json()["id"]
    await expect(rows.first).to_have_attribute("data-run", newest)
    await expect(rows).to_have_count(20)
    ids = "rows => rows.map((row) => row.dataset.run)"
    shown = await rows.evaluate_all(ids)
    await page.reload()
    assert await rows.evaluate_all(ids) == shown


async def test_an_agent_shows_no_more_commands_than_after_a_reload(window, alice, pages):
    page = await (await window(alice)).open(pages["agent"])
    await live(page)
    told = "data: { command_id: `c${n}`, spec: { shell: `echo ${n}` } }"
    await page.evaluate(
        f"""{script("here.js")}.then(({{ client }}) => {{
          const feed = client.follow(document.querySelector('agent-card').dataset.topic)
          for (let n = 0; n < 40; n++) feed.tell({{ type: 'command:request', {told} }})
        }})"""
    )
    rows = page.locator("[data-command]")
    await expect(rows).to_have_count(25)
    await expect(rows.first.locator("code")).to_have_text("echo 39")


async def test_what_an_agent_did_not_claim_leaves_its_card_when_anybody_may_have_it(window, alice, pages):
    page = await (await window(alice)).open(pages["agent"])
    await live(page)
    tell = f"""(type, data) => {script("here.js")}.then(({{ client }}) => {{
      const feed = client.follow(document.querySelector('agent-card').dataset.topic)
      feed.tell({{ type, data: {{ command_id: 'c', ...data }} }})
    }})"""
    row = page.locator("[data-command=c]")
    await page.evaluate(f"({tell})('command:request', {{ spec: {{ shell: 'echo' }} }})")
    await expect(row.locator(".badge")).to_have_text("waiting")
    await page.evaluate(f"({tell})('command:state', {{ status: 'queued', exit_code: null, interrupt: null }})")
    await expect(row).to_have_count(0)


async def test_a_submitted_task_appears_and_can_be_cancelled(window, alice):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    await page.fill("#query", "echo hello")
    await page.click("#submit button")
    row = page.locator("#tasks tr").first
    await row.locator("[data-status=queued]").wait_for()
    assert await page.input_value("#query") == ""
    await row.locator("[data-action=cancel]").click()
    await row.locator("[data-status=cancelled]").wait_for()


async def test_a_task_shows_what_it_printed_and_nothing_else(server, window, alice, pages):
    page = await (await window(alice)).open(pages["task"])
    await page.wait_for_selector("log-console >> text=12 passed")
    assert "somebody else" not in await page.locator("log-console").inner_text()

    waiting = await (await window(alice)).open(pages["waiting task"])
    await waiting.wait_for_selector("text=It waits for an agent")
    await live(waiting)
    agent = pages["agent"].split("/")[2]
    task = pages["waiting task"].split("/")[2]
    server.do("tests.support.scene:printed", task, agent, "late words\n")
    server.do("tests.support.scene:end_task", task, "completed")
    await waiting.wait_for_selector("log-console >> text=late words")

    # What somebody chooses stays when the rest of the page is written anew.
    await waiting.click("log-console >> text=Filter")
    source = waiting.locator("log-console select").first
    await source.select_option("")
    async with waiting.expect_response("**part=task*"):
        server.do("tests.support.scene:end_task", task, "failed")
    await waiting.locator("#task .badge[data-status=failed]").wait_for()
    assert await source.input_value() == ""


async def test_what_an_agent_costs_is_asked_for_while_one_looks_at_a_line_that_polls(window, alice, pages):
    page = await (await window(alice)).open("/agents/?transport=poll")
    await state(page, "polling")
    await page.locator("connection-status .signal").click()
    async with page.expect_request(re.compile(r"/api/v1/agents/[0-9a-f-]+/$")):
        pass


async def test_a_terminal_has_what_was_printed_while_it_was_loaded(server, window, alice, pages):
    hers = await window(alice)
    held = asyncio.Event()

    async def hold(route):
        await held.wait()
        await route.continue_()

    await hers.context.route("**/vendor/xterm*.js", hold)
    page = await hers.open(pages["agent"])
    await live(page)
    server.do("tests.support.scene:printed", pages["task"].split("/")[2], pages["agent"].split("/")[2], "meanwhile\n")
    await expect(page.locator("log-console .text", has_text="meanwhile")).to_be_attached()
    until = int(await page.locator("agent-terminal").get_attribute("data-until") or 0)
    held.set()
    slider = page.get_by_role("slider", name="Point in its history")
    await expect(slider).to_have_attribute("aria-valuetext", re.compile(rf"piece {until + 3} of {until + 3}$"))


async def test_a_long_command_fills_no_screen(server, window, team, alice, api, room):
    long = "echo " + " ".join(f"word{n}" for n in range(900))
    task = server.do("tests.support.scene:task", team.id, alice.id, "running", long)
    page = await (await window(alice)).open(f"/tasks/{task}/")
    await live(page)
    heading = page.locator("h1")
    assert (await heading.bounding_box())["height"] < 120
    await page.click("text=Show all")
    server.do("tests.support.scene:end_task", task, "failed")
    await page.wait_for_selector(".badge[data-status=failed]")
    assert (await heading.bounding_box())["height"] > 300
    await page.click("text=Show less")
    assert (await heading.bounding_box())["height"] < 120

    answer = await api(alice).post("/api/v1/chat/sessions/", json={"title": "Long " * 39})
    page = await (await window(alice)).open(f"/chat/{answer.json()['id']}/", {"width": 375, "height": 800})
    assert (await page.locator("h1").bounding_box())["height"] < 90


async def test_a_page_of_nothing_says_so_and_leads_on(window, alice):
    hers = await window(alice)
    page = await hers.open("/nothing/")
    await page.wait_for_selector("h1 >> text=Nothing here")
    await page.click("text=To the start")
    await live(page)
