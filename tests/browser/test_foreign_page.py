"""examples/foreign-page: a page of another origin with one script tag, as its README says."""

import asyncio
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.async_api import expect

from tests.support.pages import state
from tests.support.processes import ROOT, free_port

pytestmark = pytest.mark.variants("uvicorn-sqlite")
PORT = free_port()
ORIGIN = f"http://127.0.0.1:{PORT}"
UNKNOWN_ORIGIN = f"http://localhost:{PORT}"
TOKEN_SECONDS = 10
SETTINGS = {"ALLOWED_ORIGINS": ORIGIN, "ACCESS_TOKEN_SECONDS": str(TOKEN_SECONDS)}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        pass


@pytest.fixture
def elsewhere():
    pages = partial(Quiet, directory=ROOT / "examples" / "foreign-page")
    server = ThreadingHTTPServer(("127.0.0.1", PORT), pages)
    Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


async def log_in(page, person, topic):
    await page.fill("[name=username]", person.username)
    await page.fill("[name=password]", person.password)
    await page.fill("[name=topic]", topic)
    await page.click("button:text('Watch')")


@pytest.mark.variants("sqlite")
async def test_it_watches_live_and_its_token_is_renewed_on_the_socket(server, window, alice, room, say, elsewhere):
    await say("before")
    hers = await window()
    page = await hers.context.new_page()
    page.on("pageerror", lambda error: hers.problems.append(str(error)))
    page.on("console", lambda message: hers._note(message.type, message.text))
    await page.goto(f"{ORIGIN}/?server={server.url}")
    await log_in(page, alice, room["topic"])
    await state(page, "live")
    await expect(page.locator("#events li")).to_have_count(1)
    await say("after")
    await expect(page.locator("#events li")).to_have_count(2)

    # As long as the token with which the socket was opened may live, and the moment in which it would be cut.
    await asyncio.sleep(TOKEN_SECONDS + 2)
    await say("with a new token")
    await expect(page.locator("#events li")).to_have_count(3)
    module = f"import('{server.url}/static/js/here.js').then(({{client}}) => client.standing)"
    assert (await page.evaluate(module))["reconnects"] == 0


async def test_it_polls_from_elsewhere_too(server, window, alice, room, say, elsewhere):
    hers = await window()
    page = await hers.context.new_page()
    await page.add_init_script("delete globalThis.WebSocket")
    await page.goto(f"{ORIGIN}/?server={server.url}")
    await log_in(page, alice, room["topic"])
    await state(page, "polling", seconds=30)
    await say("polled")
    await expect(page.locator("#events li")).to_have_count(1)


async def test_a_page_that_is_not_on_the_list_gets_nothing(server, window, alice, room, elsewhere):
    page = await (await window()).context.new_page()
    await page.goto(f"{UNKNOWN_ORIGIN}/?server={server.url}")
    await log_in(page, alice, room["topic"])
    await expect(page.locator("output")).to_have_text("Failed to fetch")
