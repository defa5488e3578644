"""Back and forward: the browser keeps our pages alive to go back to, and shows them only to whom they belong."""

import asyncio

import pytest
from playwright.async_api import Error

from tests.support.pages import go, hears, live, standing, true, write

pytestmark = pytest.mark.variants("uvicorn", "sqlite")

SECRET = "between you and me"


@pytest.mark.variants("sqlite")
async def test_a_page_comes_back_as_it_was_left_and_misses_nothing(window, alice, room, say):
    page = await (await window(alice)).open(room["path"])
    await live(page)
    await page.fill("#write textarea", "half a thought")
    await leave(page)
    await say("while away")
    await go(page, -1)
    await kept(page)
    await live(page)
    await hears(page, "while away")
    assert await page.input_value("#write textarea") == "half a thought"
    await say("afterwards")
    await write(page, "a whole thought")
    await hears(page, "while away", "afterwards", "a whole thought")
    assert (await standing(page))["lost"] == 0


async def test_a_page_that_is_gone_forward_to_is_kept_too(window, alice, room, say):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    await page.goto(page.url.replace("/tasks/", room["path"]))
    await live(page)
    await go(page, -1)
    await at(page, "/tasks/")
    await live(page)
    await say("while away")
    await go(page, 1)
    await at(page, room["path"])
    await live(page)
    await hears(page, "while away")


async def test_every_page_is_kept(window, server, team, alice):
    pages = server.do("tests.support.scene:fill", team.id, alice.id)
    page = await (await window(alice)).open("/")
    for path in pages.values():
        await page.goto(f"{server.url}{path}")
        await live(page)
        await leave(page)
        await go(page, -1)
        await kept(page)
        await live(page)


async def test_a_page_that_looks_on_is_counted_again(window, alice, bob, server, team):
    """Who looks on is no stored event: it has to be asked for anew."""
    path = server.do("tests.support.scene:fill", team.id, alice.id)["run"]
    page = await (await window(alice)).open(path)
    await live(page)
    await leave(page)
    theirs = await (await window(bob)).open(path)
    await live(theirs)
    await go(page, -1)
    await kept(page)
    for one in (page, theirs):
        await true(one, "document.querySelectorAll('who-watches i').length === 1")


@pytest.mark.parametrize("how", ["they log out", "their cookies are gone", "they are logged out from elsewhere"])
async def test_without_the_login_back_shows_nothing_of_the_person(how, window, server, alice, room, say):
    hers = await window(alice)
    page = await hers.open(room["path"])
    await live(page)
    await say(SECRET)
    await hears(page, SECRET)
    await leave(page)
    steps = 1
    if how == "they log out":
        await page.click("button.who")
        await page.click("text=Log out")
        await page.wait_for_selector("text=You are logged out.")
        steps = 2
    elif how == "their cookies are gone":
        await hers.context.clear_cookies()
    else:
        [key] = [cookie["value"] for cookie in await hers.context.cookies() if cookie["name"] == "sessionid"]
        server.do("tests.support.seed:sql", "DELETE FROM django_session WHERE session_key = %s", key)
    await go(page, -steps)
    await at(page, "/login/")
    await page.wait_for_selector("input[type=password]")
    assert SECRET not in await page.content()


async def test_somebody_elses_page_is_written_anew_for_who_is_here_now(window, server, alice, bob, room, say):
    both = await window(alice)
    page = await both.open("/chat/")
    await live(page)
    assert await page.evaluate("document.body.dataset.user") == str(alice.id)
    await leave(page)
    cookie = server.do("tests.support.seed:session_cookie", bob.id)
    await both.context.add_cookies([{"name": "sessionid", "value": cookie, "url": server.url}])
    await live(await both.open("/"))
    await go(page, -1)
    await page.wait_for_selector(f"body[data-user='{bob.id}']", state="attached")
    await live(page)


async def test_what_one_has_written_is_never_sent_in_anothers_name(window, server, alice, bob, room, proxy):
    """Her page was cut off when he logged in to the same browser; what waits in it is hers."""
    both = await window(alice)
    page = await both.open(room["path"], via=proxy)
    await live(page)
    proxy.cut()
    await write(page, "in her own name")
    cookie = server.do("tests.support.seed:session_cookie", bob.id)
    await both.context.add_cookies([{"name": "sessionid", "value": cookie, "url": proxy.url}])
    proxy.mend()
    await page.wait_for_selector("connection-status[data-state=stopped]", timeout=40_000)
    await page.wait_for_timeout(500)
    assert (
        server.do("tests.support.seed:sql", "SELECT author_name FROM chat_message WHERE content LIKE 'in her%'") == []
    )


async def leave(page):
    """Follow a link to another page."""
    await page.evaluate("globalThis.isKept = false; addEventListener('pageshow', (e) => { isKept = e.persisted })")
    elsewhere = "/agents/" if page.url.endswith("/tasks/") else "/tasks/"
    await page.click(f"nav a[href='{elsewhere}']")
    await at(page, elsewhere)
    await live(page)


async def at(page, path):
    """Wait until the page is at this path. A page that was kept is not loaded, which Playwright's own way waits for."""
    for _ in range(300):
        if page.url.split("?")[0].endswith(path):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{page.url} is not {path}")


async def kept(page):
    """Wait until the browser has taken this page out of what it keeps."""
    for _ in range(300):
        try:
            if await page.evaluate("globalThis.isKept === true"):
                return
        except Error:  # the page that was left is gone in this very moment
            pass
        await asyncio.sleep(0.05)
    why = await page.evaluate("JSON.stringify(performance.getEntriesByType('navigation')[0].notRestoredReasons)")
    raise AssertionError(f"{page.url} was written anew: {why}")
