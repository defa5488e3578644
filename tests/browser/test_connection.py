"""The connection as a person sees it: what cuts it, what takes its place, and how it comes back whole."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.support.pages import hears, live, said, script, standing, state, write

pytestmark = pytest.mark.variants("sqlite")
of_the_page = pytest.mark.variants("uvicorn-sqlite")
"""What only the page's own client decides, whatever the server is."""


def words(page):
    return page.locator("connection-status .words")


async def test_after_a_kill_and_a_restart_the_page_is_whole(server, window, alice, room, say):
    page = await (await window(alice)).open(room["path"])
    await live(page)
    for n in range(5):
        await say(f"before {n}")
    server.kill9()
    await state(page, "reconnecting", "offline")
    for n in range(3):
        await write(page, f"meanwhile {n}")
    await expect(page.locator(".message[data-state=waiting]")).to_have_count(3)

    await asyncio.to_thread(server.start)
    await live(page, 40)
    await expect(page.locator(".message[data-state]")).to_have_count(0)
    await say("after")
    expected = [*(f"before {n}" for n in range(5)), *(f"meanwhile {n}" for n in range(3)), "after"]
    await hears(page, *expected)
    assert (await standing(page))["lost"] == 0
    await page.reload()
    assert await said(page) == expected


@of_the_page
async def test_what_was_written_survives_a_closed_page(server, window, alice, room):
    hers = await window(alice)
    page = await hers.open(room["path"])
    await live(page)
    server.kill9()
    await write(page, "kept")
    await page.wait_for_selector(".message[data-state=waiting]")
    await page.close()

    await asyncio.to_thread(server.start)
    page = await hers.open(room["path"])
    await hears(page, "kept")
    await expect(page.locator(".message[data-state]")).to_have_count(0)


@of_the_page
async def test_what_was_refused_is_known_on_every_page_until_somebody_has_seen_it(window, alice, room):
    page = await (await window(alice)).open("/tasks/")
    client = f"const {{ client }} = await {script('here.js')}; await client.loaded;"
    send = "client.send('message', topic, { content: '' }).catch(({ code }) => code)"
    assert await page.evaluate(f"async (topic) => {{ {client} return {send} }}", room["topic"]) == "invalid"
    assert (await standing(page))["waiting"] == 0

    refused = f"async () => {{ {client} return client.refused.map(({{ id, topic }}) => [id, topic]) }}"
    await page.goto(page.url.replace("/tasks/", "/agents/"))
    [[id, topic]] = await page.evaluate(refused)
    assert topic == room["topic"]
    await page.evaluate(f"async (id) => {{ {client} client.dismiss(id) }}", id)
    await page.reload()
    assert await page.evaluate(refused) == []


async def test_after_a_cut_it_is_whole(server, window, alice, room, say, proxy):
    page = await (await window(alice)).open(room["path"], via=proxy)
    await live(page)
    await say("before")
    await hears(page, "before")
    proxy.cut()
    missed = [f"line {n}" for n in range(100)]
    server.do("tests.support.scene:talk", room["topic"], alice.id, missed)
    await state(page, "reconnecting", "offline")
    proxy.mend()
    await live(page, 60)
    await hears(page, "before", *missed)
    found = await standing(page)
    assert (found["replayed"], found["lost"], found["reconnects"]) == (100, 0, 1)
    await expect(page.locator("connection-status .detail")).to_contain_text("100 replayed, 0 lost")


@of_the_page
async def test_a_cut_that_heals_at_once_is_nobodys_business_unless_another_follows(window, alice, room, say, proxy):
    page = await (await window(alice)).open(room["path"], via=proxy)
    await live(page)
    await page.evaluate(
        "globalThis.seen = []; new MutationObserver(() => seen.push(document.querySelector('connection-status')"
        ".dataset.state)).observe(document.querySelector('connection-status'), {attributes: true})"
    )
    proxy.cut()
    await asyncio.sleep(0.2)
    proxy.mend()
    await say("there it is")
    await hears(page, "there it is")
    assert set(await page.evaluate("seen")) <= {"live"}
    assert (await standing(page))["reconnects"] == 1

    proxy.cut()
    await asyncio.sleep(0.2)
    proxy.mend()
    await say("and again")
    await hears(page, "there it is", "and again")
    assert "reconnecting" in await page.evaluate("seen")


async def test_where_sockets_are_refused_polling_takes_over_and_hands_back(window, alice, room, say, proxy):
    proxy.refuses_sockets = True
    page = await (await window(alice)).open(room["path"], via=proxy)
    await state(page, "polling", seconds=30)
    assert proxy.refused >= 3
    await expect(words(page)).to_have_text("HTTP long polling")
    await say("polled")
    await write(page, "posted")
    await hears(page, "polled", "posted")

    proxy.refuses_sockets = False
    await live(page, 60)
    await say("pushed")
    await hears(page, "polled", "posted", "pushed")
    assert (await standing(page))["lost"] == 0


@of_the_page
async def test_without_long_polls_the_badge_names_the_delay(window, alice, room, say, proxy):
    proxy.refuses_sockets = True
    her = await window(alice)
    await her.context.route("**/api/v1/events/*wait=*", lambda route: route.abort())
    page = await her.open(room["path"], via=proxy)
    await state(page, "polling", seconds=30)
    await expect(words(page)).to_have_text("HTTP Polling (2s delay)", timeout=20_000)
    await expect(words(page)).to_have_text("HTTP Polling (5s delay)", timeout=30_000)
    await say("asked for")
    await hears(page, "asked for")


@of_the_page
async def test_with_nothing_to_be_reached_it_says_so_and_offers_a_way_on(window, alice, room, say, proxy):
    page = await (await window(alice)).open(room["path"], via=proxy)
    await live(page)
    proxy.cut()
    await state(page, "offline", seconds=30)
    await expect(words(page)).to_have_text("Disconnected")
    await expect(page.locator("connection-status .detail")).to_contain_text("no updates")
    await write(page, "kept")
    await say("missed")
    proxy.mend()
    await page.dispatch_event("connection-status [data-action=retry]", "click")  # it may have come back already
    await live(page)
    await hears(page, "missed", "kept")


async def test_offline_waits_for_the_network(window, alice, room, say):
    her = await window(alice)
    page = await her.open(room["path"])
    await live(page)
    await her.context.set_offline(True)
    await state(page, "reconnecting", "offline", seconds=20)
    await expect(words(page)).to_have_text("Offline: waiting for the network")
    await write(page, "in a tunnel")
    await say("outside")
    await her.context.set_offline(False)
    await live(page, 5)
    await hears(page, "outside", "in a tunnel")


async def test_a_page_that_was_kept_comes_back_live(window, alice, room, say):
    page = await (await window(alice)).open(room["path"])
    await live(page)
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    await say("while away")
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await hears(page, "while away")
    await live(page)


async def test_a_wrong_clock_harms_nothing(window, alice, room, say):
    her = await window(alice)
    await her.context.add_init_script(
        "{ const now = Date.now; let jumps = 0; Date.now = () => now() - 8e11 + (++jumps % 2) * 36e5 }"
    )
    page = await her.open(room["path"])
    await live(page)
    await write(page, "in another century")
    await hears(page, "in another century")
    await asyncio.sleep(6)
    await live(page)
    found = await standing(page)
    assert (found["reconnects"], found["lost"]) == (0, 0)
    assert 0 <= found["latency"] < 5000


@of_the_page
async def test_a_machine_that_slept_doubts_its_socket_at_once(window, alice, room, proxy):
    page = await (await window(alice)).open(room["path"], via=proxy)
    await live(page)
    await page.evaluate("{ const now = Date.now; Date.now = () => now() + 3_600_000 }")
    sent = (await standing(page))["sent"]
    async with asyncio.timeout(15):
        while (await standing(page))["sent"] <= sent:
            await asyncio.sleep(0.1)
    await live(page)


async def test_a_message_that_is_too_large_says_so_at_once(window, alice, room):
    page = await (await window(alice)).open(room["path"])
    await live(page)
    await write(page, "x" * 70_000)
    await page.wait_for_selector("#write .problem:has-text('too long')")
    assert await page.input_value("#write textarea") == "x" * 70_000
    await write(page, "short")
    await hears(page, "short")


async def test_signed_out_means_a_way_to_the_login_and_back_here(window, api, alice, room):
    her = await window(alice)
    page = await her.open(room["path"])
    await live(page)
    other = await her.open("/")
    await other.click("button.who")
    await other.click("text=Log out")
    await state(page, "stopped")
    link = page.locator("connection-status [data-action=way-on]")
    await expect(link).to_have_text("Log in")
    assert await link.get_attribute("href") == f"/login/?next={room['path'].replace('/', '%2F')}"
    assert await said(page) == []


@of_the_page
@pytest.mark.own_server(REPORT_CLIENT_ERRORS="1")
async def test_what_goes_wrong_in_a_page_is_in_the_servers_log(server, window, alice):
    hers = await window(alice)
    page = await hers.open("/tasks/")
    await live(page)
    await page.evaluate("setTimeout(() => { throw new Error('broken on purpose') })")
    await page.evaluate("console.error('said on purpose')")
    async with asyncio.timeout(10):
        while "broken on purpose" not in server.tail(20_000) or "said on purpose" not in server.tail(20_000):
            await asyncio.sleep(0.1)
    hers.problems.clear()


@of_the_page
@pytest.mark.own_server(WEBSOCKET_URL="ws://localhost:1/ws/", ENABLE_AGENT_MONITORING="0")
async def test_a_socket_elsewhere_that_does_not_answer_is_polled_around(window, alice, room, say):
    hers = await window(alice)
    page = await hers.open(room["path"])
    await state(page, "polling", seconds=30)
    await say("polled")
    await hears(page, "polled")
