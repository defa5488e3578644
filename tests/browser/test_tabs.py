"""All tabs of a browser share one socket, and none is poorer when the one that holds it goes."""

import asyncio
import contextlib

import pytest
from playwright.async_api import Page

from tests.browser.conftest import hears, leader_of, live, said, standing, true, write

pytestmark = pytest.mark.variants("sqlite")


async def tabs(window, path, count):
    pages = [await window.open(path) for _ in range(count)]
    for page in pages:
        await live(page)
    return pages


@pytest.mark.own_server()
async def test_several_tabs_cost_the_server_one_socket(window, alice, room, say, sockets):
    pages = await tabs(await window(alice), room["path"], 4)
    assert await sockets() == 1
    await say("to all")
    for page in pages:
        await hears(page, "to all")
    leading = [(await standing(page))["leads"] for page in pages]
    assert leading.count(True) == 1


@pytest.mark.own_server()
async def test_when_the_leading_tab_closes_the_others_go_on(window, alice, room, say, sockets):
    pages = await tabs(await window(alice), room["path"], 3)
    await say("before")
    first = await leader_of(*pages)
    rest = [page for page in pages if page is not first]
    await first.close()
    await say("meanwhile")
    await write(rest[0], "written")
    await leader_of(*rest)
    await say("after")
    for page in rest:
        await live(page)
        await hears_sorted(page, ["after", "before", "meanwhile", "written"])
    assert await sockets() == 1


@pytest.mark.own_server()
async def test_when_the_leading_tab_crashes_the_others_go_on(window, alice, room, say, sockets):
    her = await window(alice)
    pages = await tabs(her, room["path"], 2)
    first = await leader_of(*pages)
    # A tab of the same site shares its renderer: crash it only if the others have their own.
    [second] = [page for page in pages if page is not first]
    crashed = asyncio.Event()
    first.on("crash", lambda _: crashed.set())
    second.on("crash", lambda _: crashed.set())
    session = await her.context.new_cdp_session(first)
    asyncio.get_running_loop().create_task(_ignore(session.send("Page.crash")))
    await asyncio.wait_for(crashed.wait(), 10)
    third = await her.open(room["path"])
    await live(third)
    await say("after the crash")
    await hears(third, "after the crash")
    assert await sockets() == 1


@pytest.mark.own_server()
async def test_when_the_leading_tab_hangs_another_takes_the_lead(window, alice, room, say):
    pages = await tabs(await window(alice), room["path"], 2)
    first = await leader_of(*pages)
    [second] = [page for page in pages if page is not first]
    await first.evaluate("setTimeout(() => { const end = performance.now() + 9000; while (performance.now() < end); })")
    async with asyncio.timeout(9):
        while not (await standing(second))["leads"]:
            await asyncio.sleep(0.1)
    await live(second)
    await say("while it hangs")
    await hears(second, "while it hangs", seconds=3)
    await hears(first, "while it hangs")
    assert not (await standing(first))["leads"]


@pytest.mark.own_server()
async def test_a_leading_tab_that_freezes_gives_the_lead_away(window, alice, room, say, sockets):
    pages = await tabs(await window(alice), room["path"], 2)
    first = await leader_of(*pages)
    [second] = [page for page in pages if page is not first]
    # What a browser says before it freezes a tab; one in front can't really be frozen.
    await first.evaluate("document.dispatchEvent(new Event('freeze'))")
    await leader_of(second)
    await say("while it sleeps")
    await hears(second, "while it sleeps")
    assert await sockets() == 1
    await first.evaluate("document.dispatchEvent(new Event('resume'))")
    await hears(first, "while it sleeps")
    assert await sockets() == 1


@pytest.mark.own_server()
async def test_what_is_written_while_the_lead_changes_is_sent_once_and_in_order(window, alice, room):
    pages = await tabs(await window(alice), room["path"], 3)
    first = await leader_of(*pages)
    writer = next(page for page in pages if page is not first)
    for n in range(6):
        await write(writer, f"line {n}")
        if n == 2:
            await first.close()
    await hears(writer, *(f"line {n}" for n in range(6)))
    await writer.reload()
    assert await said(writer) == [f"line {n}" for n in range(6)]


@pytest.mark.own_server()
async def test_a_hundred_tabs_cost_the_server_one_socket(window, alice, room, say, sockets):
    her = await window(alice)
    pages = await light_tabs(her, room, 100)
    for page in pages[::10]:
        await true(page, "signs.state === 'live'", 60)
    assert await sockets() == 1
    await say("to a hundred")
    await heard_by(pages, 1)
    [first] = [page for page in pages if await page.evaluate("signs.leads")]
    await first.close()
    await say("to ninety-nine")
    await heard_by([page for page in pages if page is not first], 2)
    assert await sockets() == 1


@pytest.mark.own_server()
async def test_two_people_in_one_browser_profile_share_nothing(server, window, alice, bob, room):
    """Logged out and in again as somebody else, with an old tab still open."""
    hers = await window(alice)
    page = await hers.open(room["path"])
    await live(page)
    cookie = server.do("tests.support.seed:session_cookie", bob.id)
    await hers.context.add_cookies([{"name": "sessionid", "value": cookie, "url": server.url}])
    his = await hers.open("/tasks/")
    await live(his)
    assert (await standing(his))["leads"]
    assert (await standing(page))["leads"]


async def hears_sorted(page, contents):
    for _ in range(300):
        if sorted(await said(page)) == contents:
            return
        await asyncio.sleep(0.05)
    assert sorted(await said(page)) == contents


async def light_tabs(her, room, count):
    """Tabs with nothing but the client, so that a machine holds a hundred; the room's page says for whom they are."""
    full = await her.open(room["path"])
    attributes = await full.evaluate("({...document.body.dataset})")
    await full.close()
    opened: list[Page] = []
    while len(opened) < count:
        opened += await asyncio.gather(*(_light_tab(her, attributes, room["topic"]) for _ in range(10)))
    return opened


async def _light_tab(her, attributes, topic):
    page = await her.context.new_page()
    await page.goto(f"{her.server.url}/health")
    await page.evaluate(
        """async ([attributes, topic]) => {
          Object.assign(document.body.dataset, attributes)
          const { client } = await import('/static/js/here.js')
          globalThis.signs = { heard: 0 }
          client.follow(topic, { epoch: null, seq: 0 }).on('message', () => { signs.heard += 1 })
          client.watch(({ state, leads }) => Object.assign(signs, { state, leads }))
          addEventListener('pagehide', () => client.stop())
          client.start()
        }""",
        [attributes, topic],
    )
    return page


async def heard_by(pages, count):
    for page in pages:
        await true(page, f"signs.heard === {count}", 60)


async def _ignore(call):
    with contextlib.suppress(Exception):
        await call
