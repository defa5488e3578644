"""Pages in a real Chromium, against live servers."""

import asyncio
from uuid import uuid4

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.variants("sqlite")


async def live(page, state="live"):
    await page.wait_for_selector(f"connection-status[data-state={state}]")


async def new_room(api, person, title="Release"):
    return (await api(person).post("/api/v1/chat/sessions/", json={"title": title})).json()


async def say(api, person, room, content):
    answer = await api(person).send_frame("message", room["topic"], id=uuid4().hex, content=content)
    assert answer.status_code == 200, answer.text


def said(page):
    return page.locator(".message:not([data-state]) [data-field=content]").all_inner_texts()


async def test_two_people_talk(window, api, alice, bob):
    room = await new_room(api, alice)
    await api(alice).send_frame("member:add", room["topic"], user_id=bob.id)
    hers = await (await window(alice)).open(f"/chat/{room['id']}/")
    his = await (await window(bob)).open(f"/chat/{room['id']}/")
    await live(hers)
    await live(his)

    # Whoever is not there yet misses a whisper, so she goes on typing until he sees it.
    while not await his.locator("#typing:has-text('is writing')").is_visible():
        await hers.locator("textarea").press_sequentially("x", delay=200)
    await hers.fill("textarea", "Hello <b>bob</b>")
    await hers.locator("textarea").press("Enter")
    await his.wait_for_selector("text=Hello <b>bob</b>")
    await hers.wait_for_selector(".message:not([data-state])")
    assert await said(hers) == await said(his) == ["Hello <b>bob</b>"]


async def test_a_refused_message_says_why_beside_it(window, api, alice):
    room = await new_room(api, alice)
    page = await (await window(alice)).open(f"/chat/{room['id']}/")
    await live(page)
    await page.fill("textarea", "ü" * 9000)
    await page.locator("textarea").press("Enter")
    await page.wait_for_selector(".message[data-state=refused] :text('16384 bytes')")


async def test_with_websocket_blocked_the_same_page_polls(window, api, alice):
    room = await new_room(api, alice)
    hers = await window(alice)
    await hers.context.add_init_script(
        "window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.({ code: 1006 })) } close() {} }"
    )
    page = await hers.open(f"/chat/{room['id']}/")
    await live(page, "polling")
    await page.fill("textarea", "over HTTP")
    await page.locator("textarea").press("Enter")
    await say(api, alice, room, "and back")
    await page.wait_for_selector(".message:not([data-state]) >> text=and back")
    assert sorted(await said(page)) == ["and back", "over HTTP"]


@pytest.mark.own_server()
async def test_after_kill_9_the_page_comes_back_whole(server, window, api, alice):
    room = await new_room(api, alice)
    page = await (await window(alice)).open(f"/chat/{room['id']}/")
    await live(page)
    for n in range(5):
        await say(api, alice, room, f"before {n}")
    server.kill9()
    await live(page, "reconnecting")
    for n in range(3):
        await page.fill("textarea", f"meanwhile {n}")
        await page.locator("textarea").press("Enter")
    assert await page.locator(".message[data-state=waiting]").count() == 3

    await asyncio.to_thread(server.start)
    await live(page)
    await expect(page.locator(".message[data-state=waiting]")).to_have_count(0)
    expected = [f"before {n}" for n in range(5)] + [f"meanwhile {n}" for n in range(3)]
    assert await said(page) == expected
    await page.reload()
    assert await said(page) == expected


@pytest.mark.own_server()
async def test_what_was_written_survives_a_closed_page(server, window, api, alice):
    room = await new_room(api, alice)
    hers = await window(alice)
    page = await hers.open(f"/chat/{room['id']}/")
    await live(page)
    server.kill9()
    await page.fill("textarea", "kept")
    await page.locator("textarea").press("Enter")
    await page.wait_for_selector(".message[data-state=waiting]")
    await page.close()

    await asyncio.to_thread(server.start)
    page = await hers.open(f"/chat/{room['id']}/")
    await page.wait_for_selector(".message:not([data-state])")
    await expect(page.locator(".message[data-state]")).to_have_count(0)
    assert await said(page) == ["kept"]


@pytest.mark.own_server()
async def test_all_tabs_share_one_socket_and_the_next_takes_over(window, api, alice):
    room = await new_room(api, alice)
    hers = await window(alice)
    tabs = [await hers.open(f"/chat/{room['id']}/") for _ in range(4)]
    for tab in tabs:
        await live(tab)
    sockets = (await api(alice).get("/api/v1/ws/stats")).json()["stats"]["current_connections"]
    await say(api, alice, room, "to all")
    for tab in tabs:
        await tab.wait_for_selector("text=to all")
    assert sockets == 1

    await tabs[0].close()
    await say(api, alice, room, "meanwhile")
    for tab in tabs[1:]:
        await tab.wait_for_selector("text=meanwhile")
        await tab.fill("textarea", f"from tab {tabs.index(tab)}")
        await tab.locator("textarea").press("Enter")
        await expect(tab.locator(".message[data-state]")).to_have_count(0)
    await tabs[-1].wait_for_selector("text=from tab 3")
    assert await said(tabs[1]) == await said(tabs[3]) == ["to all", "meanwhile"] + [f"from tab {n}" for n in (1, 2, 3)]


async def test_logging_out_in_one_tab_stops_the_others_with_a_way_on(window, api, alice):
    room = await new_room(api, alice)
    hers = await window(alice)
    page = await hers.open(f"/chat/{room['id']}/")
    other = await hers.open("/")
    await live(page)
    await other.click("button.who")
    await other.click("text=Log out")
    await live(page, "stopped")
    assert await page.locator("connection-status a").inner_text() == "Log in"


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


async def test_every_page_is_quiet_and_fits_a_phone(window, alice):
    hers = await window(alice)
    for path in ("/", "/projects/", "/tasks/", "/agents/", "/chat/"):
        page = await hers.open(path)
        await page.set_viewport_size({"width": 390, "height": 844})
        await live(page)
        wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, path
        await page.close()
