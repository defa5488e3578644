"""What people write to each other, and what becomes of it, against servers of both kinds."""

from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.support.pages import hears, live, said, script, state, write

pytestmark = pytest.mark.variants("uvicorn-sqlite")
on_both = pytest.mark.variants("sqlite")


async def speak(person, room, content):
    answer = await person.send_frame("message", room["topic"], id=uuid4().hex, content=content)
    assert answer.status_code == 200, answer.text


@on_both
async def test_two_people_talk(window, alice, bob, api, room):
    await api(alice).send_frame("member:add", room["topic"], user_id=bob.id)
    hers = await (await window(alice)).open(room["path"])
    his = await (await window(bob)).open(room["path"])
    await live(hers)
    await live(his)

    # Whoever is not there yet misses a whisper, so she goes on typing until he sees it.
    while not await his.locator("#typing:has-text('is writing')").is_visible():
        await hers.locator("textarea").press_sequentially("x", delay=200)
    await write(hers, "Hello <b>bob</b>")
    await his.wait_for_selector("text=Hello <b>bob</b>")
    await hers.wait_for_selector(".message:not([data-state])")
    assert await said(hers) == await said(his) == ["Hello <b>bob</b>"]


async def test_what_is_too_long_is_said_before_it_is_sent(window, alice, room):
    page = await (await window(alice)).open(room["path"])
    await live(page)
    await write(page, "ü" * 9000)
    await page.wait_for_selector("#write .problem:has-text('too long by about 808 characters')")
    await expect(page.locator(".message")).to_have_count(0)
    assert await page.input_value("#write textarea") == "ü" * 9000
    await page.fill("#write textarea", "ü" * 8192)
    await expect(page.locator("#write .problem")).to_be_hidden()


async def test_what_can_never_be_taken_is_edited(window, alice, room):
    page = await (await window(alice)).open(room["path"])
    await live(page)
    await page.eval_on_selector("#write", "(form) => { delete form.dataset.mostBytes }")
    await write(page, "a\0b")
    await page.wait_for_selector(".message[data-state=refused] :text('Not sent. content: must not contain a NUL')")
    await page.reload()
    await live(page)
    await expect(page.locator("#write")).to_be_in_viewport(ratio=1)
    await expect(page.locator(".message footer button")).to_have_text(["Edit"])
    await page.click("text=Edit")
    assert await page.input_value("#write textarea") == "a\0b"
    await expect(page.locator(".message")).to_have_count(0)
    await page.reload()
    assert await page.input_value("#write textarea") == "a\0b"


async def test_a_refused_message_can_be_tried_again_or_taken_back(server, window, team, bob, room, alice, api):
    await api(alice).send_frame("member:add", room["topic"], user_id=bob.id)
    page = await (await window(bob)).open(room["path"])
    await live(page)
    statement = "UPDATE accounts_membership SET role = %s WHERE user_id = %s"
    server.do("tests.support.seed:sql", statement, 1, bob.id)
    await write(page, "May I?")
    await page.wait_for_selector(".message[data-state=refused]")
    await page.get_by_role("button", name="Try again").press("Enter")
    await expect(page.locator("#messages")).to_be_focused()  # the button is gone meanwhile
    await page.wait_for_selector(".message[data-state=refused]")
    server.do("tests.support.seed:sql", statement, 2, bob.id)
    await page.click("text=Try again")
    await hears(page, "May I?")


async def test_what_is_refused_is_seen_even_if_the_same_words_got_through_from_elsewhere(window, proxy, alice, room):
    page = await (await window(alice)).open(room["path"], via=proxy)
    await live(page)
    proxy.cut()
    await page.wait_for_selector("stale-note:has-text('What you write is kept')")
    await page.fill("#write textarea", "a\0b")
    await page.locator("#write textarea").press("Enter")
    await page.wait_for_selector(".message[data-state=waiting]")
    said = f"{{ message_id: 'm1', content: 'a\\0b', author: {{ id: {alice.id}, name: 'alice' }} }}"
    event = f"{{ type: 'message', topic: '{room['topic']}', timestamp: new Date().toISOString(), data: {said} }}"
    await page.evaluate(f"{script('here.js')}.then(({{client}}) => client.follow('{room['topic']}').tell({event}))")
    await expect(page.locator(".message[data-state]")).to_have_count(0)
    proxy.mend()
    await page.dispatch_event("stale-note button:text('Try now')", "click")  # it may have come back by itself already
    await page.wait_for_selector(".message[data-state=refused] :text('NUL')")
    await page.locator(".message[data-state=refused]").get_by_role("button", name="Edit").click()
    await expect(page.locator(".message")).to_have_count(1)


async def test_after_a_cut_a_mark_says_what_is_new(window, proxy, alice, bob, api, room):
    await api(alice).send_frame("member:add", room["topic"], user_id=bob.id)
    page = await (await window(alice)).open(room["path"], via=proxy)
    await state(page, "live", "polling")
    await speak(api(bob), room, "before")
    await page.wait_for_selector("text=before")
    proxy.cut()
    await page.wait_for_selector("stale-note:has-text('What you write is kept')")
    await speak(api(bob), room, "meanwhile")
    await write(page, "written while away")
    proxy.mend()
    await page.dispatch_event("stale-note button:text('Try now')", "click")  # it may have come back by itself already
    await page.wait_for_selector(".mark + .message >> text=meanwhile")
    await expect(page.locator("stale-note .note")).to_be_hidden()
    await expect(page.locator(".message[data-state]")).to_have_count(0)
    assert await page.locator(".mark").count() == 1


async def test_what_is_refused_while_one_is_elsewhere_is_told_and_kept(window, alice, room):
    page = await (await window(alice)).open("/tasks/")
    await live(page)
    await page.evaluate(
        f"""void {script("here.js")}.then(({{ client }}) =>
            client.send('message', '{room["topic"]}', {{ content: 'ü'.repeat(9000) }}).catch(() => {{}}))"""
    )
    await page.click(".toast:has-text('Your message was not sent') a")
    await page.wait_for_selector(".message[data-state=refused] :text('16384 bytes')")
    await page.click("text=Edit")
    assert await page.input_value("#write textarea") == "ü" * 9000
    await page.reload()
    await live(page)
    await expect(page.locator(".message[data-state]")).to_have_count(0)


async def test_what_waits_is_seen_after_a_reload_and_so_is_its_refusal(window, alice, room):
    hers = await window(alice)
    nothing_gets_out = "**/api/v1/frames/"
    await hers.context.route(nothing_gets_out, lambda route: route.abort())
    page = await hers.open(f"{room['path']}?transport=poll")
    await state(page, "polling")
    await write(page, "kept")
    await page.eval_on_selector("#write", "(form) => { delete form.dataset.mostBytes }")
    await write(page, "a\0b")
    waiting = page.locator(".message[data-state=waiting]")
    await expect(waiting).to_have_count(2)
    await page.reload()
    await expect(waiting).to_have_count(2)

    await hers.context.unroute(nothing_gets_out)
    await page.reload()
    await hears(page, "kept")
    await page.wait_for_selector(".message[data-state=refused] :text('NUL character')")
    await page.click("text=Edit")
    assert await page.input_value("#write textarea") == "a\0b"


async def test_what_is_written_before_the_browsers_store_has_opened_is_shown_once(window, alice, room):
    hers = await window(alice)
    nothing_gets_out = "**/api/v1/frames/"
    await hers.context.route(nothing_gets_out, lambda route: route.abort())
    await hers.context.add_init_script(
        """const { open } = IDBFactory.prototype
        IDBFactory.prototype.open = function (...names) {
          const real = open.apply(this, names)
          return {
            get result() { return real.result },
            set onsuccess(heard) { real.onsuccess = () => setTimeout(heard, 2000) },
            set onerror(heard) { real.onerror = heard },
            set onupgradeneeded(heard) { real.onupgradeneeded = heard },
          }
        }"""
    )
    page = await hers.open(f"{room['path']}?transport=poll")
    await write(page, "once")
    await expect(page.locator(".message")).to_have_count(1)
    await page.evaluate(f"{script('here.js')}.then(({{ client }}) => client.loaded)")
    await expect(page.locator(".message")).to_have_count(1)
    await hers.context.unroute(nothing_gets_out)
    await hears(page, "once")
    await expect(page.locator(".message[data-state]")).to_have_count(0)


async def test_days_and_speakers_are_told_apart(window, alice, bob, api, room):
    await api(alice).send_frame("member:add", room["topic"], user_id=bob.id)
    for who, words in [(alice, "one"), (alice, "two"), (bob, "three")]:
        await speak(api(who), room, words)
    page = await (await window(alice)).open(room["path"])
    await live(page)
    assert await page.locator(".day").all_inner_texts() == ["Today"]
    assert await page.locator(".message[data-goes-on] p").all_inner_texts() == ["two"]
    assert await page.locator(".message[data-mine] p").all_inner_texts() == ["one", "two"]
    await page.click("#count")
    assert await page.locator("#people li").count() == 2
    assert await page.locator("#count").inner_text() == "2 people"


@on_both
async def test_people_are_added_removed_and_leave(window, alice, bob, victor, api, room):
    page = await (await window(alice)).open(room["path"])
    await live(page)
    await page.click("#count")
    for person in (bob, victor):
        await page.select_option("#add-member select", str(person.id))
        await page.click("#add-member button")
        await page.wait_for_selector(f"#people [data-person='{person.id}']")
    await expect(page.locator("#add-member")).to_be_hidden()
    await page.click(f"[data-person='{victor.id}'] >> text=Remove")
    await expect(page.locator("#people li")).to_have_count(2)
    await expect(page.locator("#add-member option")).to_have_count(2)

    his = await (await window(bob)).open(room["path"])
    await live(his)
    await his.click("#count")
    await his.click("#people >> text=Leave")
    await his.click("#people >> text=Really leave?")
    await his.wait_for_url("**/chat/")
    await page.wait_for_selector(".notice:has-text('has left')")
    await expect(page.locator("#people li")).to_have_count(1)


async def test_an_address_in_a_message_is_a_link_and_nothing_else_is(window, alice, api, room):
    words = "See https://a.example/b?c=d. <img src=x onerror=alert(1)> javascript:alert(1)"
    await speak(api(alice), room, words)
    page = await (await window(alice)).open(room["path"])
    await live(page)
    await write(page, words + " again")
    await hears(page, words, words + " again")
    links = page.locator(".message p a")
    await expect(links).to_have_count(2)
    for one in await links.all():
        assert await one.get_attribute("href") == "https://a.example/b?c=d"
        assert await one.get_attribute("rel") == "noopener noreferrer"
    await expect(page.locator(".message img")).to_have_count(0)


async def test_the_list_of_sessions_moves(window, alice, api, room):
    await api(alice).post("/api/v1/chat/sessions/", json={"title": "Younger"})
    page = await (await window(alice)).open("/chat/")
    await live(page)
    titles = page.locator("#sessions b")
    assert await titles.all_inner_texts() == ["Younger", "Release"]
    await speak(api(alice), room, "Here")
    await expect(titles).to_have_text(["Release", "Younger"])
    await page.wait_for_selector("#sessions li:first-child >> text=Here")


async def test_a_list_that_one_goes_through_is_put_in_order_when_one_has_left(window, alice, api, room):
    second = (await api(alice).post("/api/v1/chat/sessions/", json={"title": "Second"})).json()
    page = await (await window(alice)).open("/chat/")
    await live(page)
    titles = page.locator("#sessions b")
    await expect(titles).to_have_text(["Second", "Release"])
    await page.locator("#sessions a").first.focus()
    await speak(api(alice), room, "here")
    await expect(page.locator("#sessions li").last).to_contain_text("here")
    assert second["title"] == await titles.first.inner_text()
    await page.focus("#title")
    await expect(titles).to_have_text(["Release", "Second"])
