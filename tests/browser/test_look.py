"""How every page looks and feels: readable for everybody, quiet, quick, and good for the keyboard."""

import pytest
from playwright.async_api import expect

from tests.support.pages import live, state
from tests.support.processes import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MAY_MOVE = 0.003
"""Of the window times the way: a word that gets longer beside another. 0.1 is what counts as good elsewhere."""
WITHOUT_LOGIN = ["/", "/login/", "/nothing/"]

VITALS = """() => new Promise((done) => {
  // What lies over the page or has room of its own may move in it.
  const apart = 'connection-status, toast-list, run-timeline .time'
  const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ')
  let shifts = 0
  const moved = []
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, value, sources } of list.getEntries()) {
      if (hadRecentInput) continue
      const others = sources.filter(({ node }) => !node?.parentElement?.closest(apart) && !node?.matches?.(apart))
      if (!others.length) continue
      shifts += value
      for (const { node, previousRect, currentRect } of others)
        moved.push(`${place(previousRect)} → ${place(currentRect)} ${(node?.outerHTML ?? node?.data)?.slice(0, 80)}`)
    }
  }).observe({ type: 'layout-shift', buffered: true })
  const paint = performance.getEntriesByName('first-contentful-paint')[0]
  setTimeout(() => done({ shifts, moved, paint: paint?.startTime ?? 0 }), 50)
})"""

pytestmark = pytest.mark.variants("uvicorn", "sqlite")


@pytest.fixture
def pages(server, team, alice):
    return server.do("tests.support.scene:fill", team.id, alice.id)


async def themed(window, server, theme, who=None):
    opened = await window(who)
    await opened.context.add_cookies([{"name": "theme", "value": theme, "url": server.url}])
    return opened


async def complaints(page):
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{page.url} {one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found["violations"]
    ]


async def complaints_of_what_opens(page):
    """The menu, the panel of the connection and the list of shortcuts, each while it is open."""
    found = []
    for button, opened in [
        ("connection-status .signal", ".quality dl"),
        ("button.who", "#menu"),
        ("#menu [data-action=shortcuts]", "#shortcuts"),
    ]:
        await page.click(button)
        await page.wait_for_selector(opened)
        found += await complaints(page)
    await page.keyboard.press("Escape")
    return found


@pytest.mark.parametrize(("theme", "size"), [("dark", DESKTOP), ("light", PHONE)], ids=["dark desktop", "light phone"])
async def test_every_page_is_steady_accessible_and_fits(theme, size, window, server, alice, pages):
    found = []
    for who, paths in [(None, WITHOUT_LOGIN), (alice, pages.values())]:
        opened = await themed(window, server, theme, who)
        for path in paths:
            page = await opened.open(path, size)
            assert await page.evaluate("document.documentElement.dataset.theme") == theme
            if who:
                await live(page)
                vitals = await page.evaluate(VITALS)
                assert vitals["shifts"] < MAY_MOVE and vitals["paint"] > 0, (path, vitals)
            before = len(opened.problems)
            found += await complaints(page)
            if path == "/" and who:
                found += await complaints_of_what_opens(page)
            await page.set_viewport_size(PHONE)
            if wider := await page.evaluate("document.documentElement.scrollWidth - innerWidth"):
                found.append(f"{path} is {wider} px wider than a phone")
            await page.close()
            # axe itself writes a style, which the policy refuses.
            opened.problems[before:] = [one for one in opened.problems[before:] if "inline style" not in one]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_nothing_moves_when_pages_are_cut_off_and_come_back_by_polling(size, window, alice, pages, proxy):
    hers = await window(alice)
    opened = [await hers.open(path, size, via=proxy) for path in pages.values()]
    for page in opened:
        await live(page)
    before = [(await page.evaluate(VITALS))["shifts"] for page in opened]
    proxy.cut()
    for page in opened:
        await expect(page.locator("stale-note .note")).to_be_visible()
    proxy.refuses_sockets = True
    proxy.mend()
    for page in opened:
        await state(page, "polling", seconds=40)
        await expect(page.locator("stale-note .note")).to_be_hidden()
    after = [await page.evaluate(VITALS) for page in opened]
    assert all(now["shifts"] - then < MAY_MOVE for now, then in zip(after, before, strict=True)), after


async def test_every_state_and_its_number_is_in_sight_on_a_phone(window, alice, pages):
    page = await (await window(alice)).open("/tasks/", {"width": 375, "height": 800})
    await live(page)
    states = page.locator("#states")
    assert await states.evaluate("(nav) => nav.scrollWidth <= nav.clientWidth")
    for one in await states.locator("a").all():
        await expect(one).to_be_in_viewport(ratio=1)


async def test_the_keyboard_goes_everywhere(window, alice):
    hers = await window(alice)
    page = await hers.open("/")
    await live(page)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"

    for key, path in [("p", "/projects/"), ("t", "/tasks/"), ("a", "/agents/"), ("c", "/chat/"), ("d", "/")]:
        await page.keyboard.press("g")
        await page.keyboard.press(key)
        await page.wait_for_url(f"{hers.server.url}{path}")
        await live(page)
    await page.keyboard.press("?")
    await page.wait_for_selector("dialog[open] >> text=Keyboard shortcuts")
    await page.get_by_label("Use the keys").uncheck()
    await page.keyboard.press("Escape")
    await page.wait_for_selector("dialog[open]", state="hidden")
    await page.keyboard.press("?")
    assert await page.locator("dialog[open]").count() == 0
    await page.click("button.who")
    await page.click("text=Keyboard shortcuts")
    await page.get_by_label("Use the keys").check()
    await page.keyboard.press("Escape")

    await page.keyboard.press("g")
    await page.keyboard.press("t")
    await page.wait_for_url(f"{hers.server.url}/tasks/")
    await live(page)
    await page.keyboard.press("/")
    await page.keyboard.type("g d / words")
    assert await page.input_value("[data-filter]") == "g d / words"
    await page.keyboard.press("Escape")
    assert await page.evaluate("document.activeElement.localName") == "body"


async def test_the_theme_is_kept_and_there_from_the_first_byte(window, alice):
    page = await (await window(alice)).open("/")
    await live(page)
    await page.emulate_media(color_scheme="light")
    system = await ground(page)
    await page.click("button.who")
    await page.click("label:has-text('Dark')")
    dark = await ground(page)
    assert dark != system
    await page.goto(page.url + "tasks/")
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert await ground(page) == dark
    await page.click("button.who")
    await page.click("label:has-text('System')")
    assert await ground(page) == system


async def test_a_chart_changes_its_colours_with_the_theme(window, alice, pages):
    page = await (await window(alice)).open("/")
    await live(page)
    await page.wait_for_selector("metric-chart canvas")
    pixels = "document.querySelectorAll('metric-chart canvas')[1].toDataURL()"
    before = await page.evaluate(pixels)
    await page.click("button.who")
    await page.click("label:has-text('Dark')")
    assert await page.evaluate(pixels) != before


async def test_the_rest_interface_has_both_themes_and_a_way_back(window, alice):
    hers = await window(alice)
    page = await hers.open("/api/v1/docs/")
    await page.wait_for_selector(".opblock")
    await page.emulate_media(color_scheme="light")
    light = await ground(page)
    await page.emulate_media(color_scheme="dark")
    assert await ground(page) != light
    await expect(page.locator("html.dark-mode")).to_have_count(1)
    await page.click("text=Back to Signalbox")
    await live(page)


async def ground(page):
    return await page.evaluate("getComputedStyle(document.body).backgroundColor")
