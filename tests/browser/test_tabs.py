"""All tabs of a browser share one socket, and none is poorer when the one that holds it goes."""

import asyncio
import contextlib

import pytest

from tests.support.pages import hears, leader_of, live, said, standing, true, write
from tests.support.tabs import heard_by, leading, light_tabs

pytestmark = pytest.mark.variants("sqlite")
among_themselves = pytest.mark.variants("uvicorn-sqlite")
"""What the tabs of a browser settle among themselves, whatever the server is."""


async def tabs(window, path, count):
    pages = [await window.open(path) for _ in range(count)]
    for page in pages:
        await live(page)
    return pages


async def test_several_tabs_cost_the_server_one_socket(window, alice, room, say, sockets):
    pages = await tabs(await window(alice), room["path"], 4)
    assert sockets() == 1
    await say("to all")
    for page in pages:
        await hears(page, "to all")
    leads = [(await standing(page))["leads"] for page in pages]
    assert leads.count(True) == 1


async def test_when_the_leading_tab_closes_the_others_go_on(window, alice, room, say, sockets):
    pages = await tabs(await window(alice), room["path"], 3)
    await say("before")
    first = await leader_of(*pages)
    rest = [page for page in pages if page is not first]
    await first.close()
    await say("meanwhile")
    for n, page in enumerate(rest):
        await write(page, f"written {n}")
    await leader_of(*rest)
    await say("the end")
    for page in rest:
        await live(page)
        await hears_sorted(page, ["before", "meanwhile", "the end", "written 0", "written 1"])
    assert sockets() == 1


@among_themselves
@pytest.mark.own_browser
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
    assert sockets() == 1


@among_themselves
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


@among_themselves
async def test_a_leading_tab_that_freezes_gives_the_lead_away(window, alice, room, say, sockets):
    pages = await tabs(await window(alice), room["path"], 2)
    first = await leader_of(*pages)
    [second] = [page for page in pages if page is not first]
    # What a browser says before it freezes a tab; one in front can't really be frozen.
    await first.evaluate("document.dispatchEvent(new Event('freeze'))")
    await leader_of(second)
    await say("while it sleeps")
    await hears(second, "while it sleeps")
    assert sockets() == 1
    await first.evaluate("document.dispatchEvent(new Event('resume'))")
    await hears(first, "while it sleeps")
    assert sockets() == 1


@among_themselves
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


@among_themselves
async def test_a_dozen_tabs_cost_the_server_one_socket_and_hear_everything(window, alice, room, say, sockets):
    her = await window(alice)
    pages = await light_tabs(her.context, f"{her.server.url}{room['path']}", room["topic"], 12)
    for page in pages:
        await true(page, "signs.state === 'live'", 60)
    assert sockets() == 1
    await say("to all twelve")
    await heard_by(pages, 1)
    first = await leading(pages)
    await first.close()
    await say("to eleven")
    await heard_by([page for page in pages if page is not first], 2)
    assert sockets() == 1


@among_themselves
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


async def _ignore(call):
    with contextlib.suppress(Exception):
        await call
