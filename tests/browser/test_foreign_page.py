"""examples/foreign-page: a page of another origin with one script tag, as its README says."""

import asyncio
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.browser.conftest import state
from tests.support.processes import ROOT, free_port

pytestmark = pytest.mark.variants("sqlite")
PORT = free_port()
ORIGIN = f"http://127.0.0.1:{PORT}"


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


@pytest.mark.own_server(ALLOWED_ORIGINS=ORIGIN, ACCESS_TOKEN_SECONDS="40")
async def test_it_watches_live_and_its_token_is_renewed_on_the_socket(server, window, api, alice, room, say, elsewhere):
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

    await asyncio.sleep(45)
    token = server.do("tests.support.seed:access_token", alice.id, seconds=300)
    answer = await api(None).post(
        "/api/v1/frames/",
        headers={"Authorization": f"Bearer {token}"},
        json={"type": "message", "id": uuid4().hex, "topic": room["topic"], "data": {"content": "with a new token"}},
    )
    assert answer.status_code == 200
    await expect(page.locator("#events li")).to_have_count(3)
    module = f"import('{server.url}/static/js/here.js').then(({{client}}) => client.standing)"
    assert (await page.evaluate(module))["reconnects"] == 0


@pytest.mark.own_server(ALLOWED_ORIGINS=ORIGIN)
async def test_it_polls_from_elsewhere_too(server, window, alice, room, say, elsewhere):
    hers = await window()
    page = await hers.context.new_page()
    await page.add_init_script("delete globalThis.WebSocket")
    await page.goto(f"{ORIGIN}/?server={server.url}")
    await log_in(page, alice, room["topic"])
    await state(page, "polling", seconds=30)
    await say("polled")
    await expect(page.locator("#events li")).to_have_count(1)


@pytest.mark.own_server(ALLOWED_ORIGINS="https://somebody.example")
async def test_a_page_that_is_not_on_the_list_gets_nothing(server, window, alice, room, elsewhere):
    page = await (await window()).context.new_page()
    await page.goto(f"{ORIGIN}/?server={server.url}")
    await log_in(page, alice, room["topic"])
    await expect(page.locator("output")).to_have_text("Failed to fetch")
