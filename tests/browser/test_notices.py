"""What staff tells people, as it appears on whatever page they look at."""

from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.conftest import Person
from tests.support.pages import go, live, state

pytestmark = pytest.mark.variants("sqlite")

EVIL = '<script>document.title = "taken"</script><img src=x onerror="document.title=1">'
MINUTE = 60_000


@pytest.fixture
def sam(server):
    """A member of staff."""
    return Person(**server.do("tests.support.seed:make_user", f"sam-{uuid4().hex[:8]}", staff=True))


@pytest.fixture
def tell(api, sam):
    """`await tell("Back at ten", level="warning")` tells everybody; `to=alice` only her."""

    async def tell(message, to=None, **said):
        door = f"user/{to.id}" if to else "broadcast"
        answer = await api(sam).post(f"/api/v1/ws/{door}", json={"message": message, **said})
        assert answer.status_code == 201, answer.text

    return tell


async def test_a_notice_appears_once_in_its_own_letters_and_a_reload_shows_it_no_more(window, tell, alice):
    await tell("yesterday's", level="error")
    page = await (await window(alice)).open("/")
    await live(page)
    lines = []
    page.on("websocket", lambda line: lines.append(line.url))
    await page.reload()
    await live(page)
    title = await page.title()

    await tell(EVIL, level="warning")
    toast = page.locator(".toast")
    await expect(toast).to_have_count(1)
    assert await toast.locator("p").inner_text() == EVIL
    assert await toast.locator("b").inner_text() == "Warning for everybody"
    assert await toast.get_attribute("data-level") == "warning"
    assert await toast.locator("script, img").count() == 0
    assert await page.title() == title
    assert await page.locator("toast-list").get_attribute("aria-live") == "polite"
    assert len(lines) == 1

    await toast.get_by_label("Dismiss").click()
    await expect(toast).to_have_count(0)
    await page.reload()
    await live(page)
    await tell("now")
    await expect(toast.locator("p")).to_have_text(["now"])


async def test_a_notification_appears_to_its_person_alone(window, tell, alice, bob):
    hers = await (await window(alice)).open("/tasks/")
    his = await (await window(bob)).open("/tasks/")
    for page in (hers, his):
        await live(page)
    await tell("Your key ends tomorrow", to=alice, link="/agents/")
    await expect(hers.locator(".toast b")).to_have_text(["Note for you"])
    await tell("for both")
    await expect(his.locator(".toast p")).to_have_text(["for both"])
    await hers.click(".toast >> text=Your key ends tomorrow")
    await hers.wait_for_url("**/agents/")


async def test_what_matters_stays_until_it_is_dismissed(window, tell, alice):
    hers = await window(alice)
    await hers.context.clock.install()
    page = await hers.open("/")
    await live(page)
    for level in ("info", "success", "warning", "error"):
        await tell(f"{level} it is", level=level)
    await expect(page.locator(".toast")).to_have_count(4)
    await page.mouse.move(0, 0)
    await hers.context.clock.run_for(MINUTE)
    await expect(page.locator(".toast p")).to_have_text(["warning it is", "error it is"])
    await page.keyboard.press("Escape")
    await expect(page.locator(".toast p")).to_have_text(["warning it is"])


async def test_what_was_told_during_a_cut_appears_after_it(window, tell, alice, proxy):
    page = await (await window(alice)).open("/", via=proxy)
    await live(page)
    proxy.cut()
    await state(page, "offline", "reconnecting")
    await tell("meanwhile", level="warning")
    proxy.mend()
    await expect(page.locator(".toast p")).to_have_text(["meanwhile"], timeout=15_000)


async def test_a_page_that_polls_shows_it_too(window, tell, alice):
    page = await (await window(alice)).open("/?transport=poll")
    await state(page, "polling")
    await tell("over HTTP")
    await expect(page.locator(".toast p")).to_have_text(["over HTTP"])


async def test_the_way_back_tells_nothing_again(window, tell, alice):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    await page.goto(page.url.replace("/tasks/", "/agents/"))
    await live(page)
    await tell("once", level="error")
    await expect(page.locator(".toast p")).to_have_text(["once"])
    await go(page, -1)
    await page.wait_for_url("**/tasks/", wait_until="commit")
    await live(page)
    await tell("and again", level="error")
    await expect(page.locator(".toast p")).to_have_text(["and again"])


async def test_staff_sends_from_the_admin_and_it_appears_at_once(window, sam, alice):
    hers = await (await window(alice)).open("/")
    await live(hers)
    form = await (await window(sam)).open("/admin/notices/notice/add/")
    await form.fill("[name=message]", "From the admin")
    await form.check("[name=level][value=error]")
    await form.click("[name=_save]")
    await form.wait_for_selector("text=From the admin")
    await expect(hers.locator(".toast[data-level=error] p")).to_have_text(["From the admin"])

    await form.click("#result_list tbody a")
    await form.wait_for_selector("text=View notice")
    assert await form.locator("textarea, [name=_save], .deletelink").count() == 0
