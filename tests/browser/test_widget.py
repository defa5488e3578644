"""<connection-status>: where it stands, what it says, and its panel."""

import pytest
from playwright.async_api import expect

from tests.support.pages import live, script, true

pytestmark = pytest.mark.variants("uvicorn-sqlite")


async def test_it_says_the_way_and_the_latency_and_only_news_aloud(window, alice):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    await expect(page.locator("connection-status .detail")).to_contain_text("WebSocket")
    await expect(page.locator("connection-status .detail")).to_contain_text("ms")
    heard = page.locator("connection-status [role=status]")
    await expect(heard).to_have_text("Live")
    await heard.evaluate(
        "element => { globalThis.changes = 0; new MutationObserver(() => { changes += 1 })"
        ".observe(element, { childList: true, subtree: true, characterData: true }) }"
    )
    await page.evaluate(f"{script('here.js')}.then(({{client}}) => client.measure())")
    await page.wait_for_timeout(500)
    assert await page.evaluate("changes") == 0


async def test_its_panel_shows_the_quality_of_the_network(window, alice):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    panel = page.locator("#connection-quality")
    await page.locator("connection-status .signal").focus()
    await page.keyboard.press("Enter")
    await expect(panel).to_be_visible()
    for name in ("Latency", "Jitter"):
        await expect(panel.locator("figcaption", has_text=name)).to_contain_text("ms", timeout=10_000)
    for name in ("Way", "In and out", "Events", "Frames", "Reconnects", "Shared by"):
        await expect(panel.locator(f"dt:text-is('{name}')")).to_be_visible()
    await true(page, "document.querySelector('#connection-quality polyline').points.length >= 2")
    await expect(page.locator("connection-status .signal")).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("Escape")
    await expect(panel).to_be_hidden()
    await expect(page.locator("connection-status .signal")).to_have_attribute("aria-expanded", "false")


async def test_its_panel_opens_when_the_server_is_away(window, alice):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    await page.context.set_offline(True)
    await page.click("connection-status .signal")
    await expect(page.locator("#connection-quality dt:text-is('Way')")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#connection-quality")).to_be_hidden()


async def test_it_can_be_restyled_and_moved_from_outside(window, alice):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    await page.evaluate(
        "for (const [name, value] of [['--status-live', 'rgb(1, 2, 3)'], ['--status-position', 'fixed'],"
        " ['--status-inset', 'auto 16px 16px auto']]) document.body.style.setProperty(name, value)"
    )
    colour = await page.evaluate("getComputedStyle(document.querySelector('connection-status .light')).backgroundColor")
    assert colour == "rgb(1, 2, 3)"
    box = await page.locator("connection-status").bounding_box()
    assert box and box["y"] + box["height"] == 900 - 16
