"""Reading over HTTP, through the whole ASGI application: the same bytes, the same rights, and waiting."""

import asyncio
import json
import threading
import time

import pytest
import uvicorn
from django.conf import settings
from django.db import OperationalError
from django.test import Client as Browser
from django.utils import timezone

from apps.accounts import tokens
from apps.accounts.models import TokenFamily, User
from apps.events import log, store, wire
from apps.events.models import Head, StoredEvent
from apps.events.threads import in_reader, in_writer
from apps.gateway.asgi import application as without_middleware
from apps.gateway.polling import MOST_EVENTS
from project.serving import Server
from tests.gateway.conftest import LOG, refusal, texts, until
from tests.gateway.fakes import Client


async def test_a_page_says_what_follows_a_cursor(poll, topic, write):
    await write(topic, "a", "b", "c")
    response = await poll(after=1)
    at = await in_reader(store.position, str(topic))
    page = response.json()
    assert {name: page[name] for name in page if name != "events"} == {
        "topic": str(topic),
        "epoch": at.epoch,
        "head": 3,
        "floor": 0,
        "reset": False,
    }
    assert [event["seq"] for event in page["events"]] == [2, 3]
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "private, no-cache"
    assert "retry-after" not in response.headers, "there may be more at once"


async def test_its_events_are_the_bytes_that_a_socket_gets(poll, topic, write):
    bob = Client(topic)
    await bob.follow()
    bob.outlet.frames.clear()
    for text in ("snow ☃", 'a "quote" and a \\', "</script>\u2028", "x" * 3_000):
        await write(topic, text, text[::-1])
    await until(lambda: bob.outlet.frames and bob.outlet.frames[-1].last == 8)
    pushed = b",".join(_events_in(frame.text) for frame in bob.outlet.frames)
    polled = (await poll(after=0)).content
    assert polled.endswith(b'"events":[' + pushed + b"]}")


def _events_in(text):
    return text.removeprefix(b'{"type":"batch","messages":[').removesuffix(b"]}") if b'"batch"' in text[:20] else text


async def test_a_page_of_large_events_is_short_and_the_loop_does_not_write_it(poll, topic, write, monkeypatch):
    monkeypatch.setattr(store, "PAGE_BYTES", 5_000)
    writers = set()

    def noted(*args):
        writers.add(threading.current_thread())
        return encode(*args)

    encode = wire.event
    await write(topic, *["x" * 1_500 for _ in range(10)])
    monkeypatch.setattr(wire, "event", noted)
    for query in ({"after": 0}, {"before": 11}, {"after": 0, "match": "x"}):
        page = (await poll(**query)).json()
        assert (len(page["events"]), page["head"]) == (4, 10), query
    assert writers and threading.current_thread() not in writers


async def test_a_long_poll_is_answered_at_once_when_there_is_news(poll, topic, write, hub):
    await write(topic, "old")
    waiting = asyncio.create_task(poll(after=1, wait=20))
    await until(lambda: str(topic) in hub._followed)
    await asyncio.sleep(0.02)
    assert not waiting.done()
    await write(topic, "news")
    async with asyncio.timeout(2):
        response = await waiting
    assert texts(response) == ["news"]


async def test_a_long_poll_with_history_does_not_wait(poll, topic, write, hub):
    await write(topic, "a")
    async with asyncio.timeout(2):
        assert texts(await poll(after=0, wait=20)) == ["a"]
    assert hub.topics == 0


async def test_a_long_poll_without_news_ends_with_an_empty_page(poll, topic, write):
    await write(topic, "a")
    began = time.monotonic()
    response = await poll(after=1, wait=1)
    assert 0.9 < time.monotonic() - began < 10
    assert (response.status_code, response.json()["events"], response.json()["head"]) == (200, [], 1)
    assert "retry-after" not in response.headers, "who waited may ask again at once"


async def test_a_long_poll_that_knows_the_tag_ends_with_304(poll, topic, write):
    await write(topic, "a")
    tag = (await poll(after=1)).headers["etag"]
    response = await poll(after=1, wait=1, headers={"If-None-Match": tag})
    assert (response.status_code, response.content) == (304, b"")


async def test_a_hundred_long_polls_are_served_by_one_reader_of_hints(poll, topic, write, hub, settings):
    settings.LIMITS = settings.LIMITS | {"waiting_polls": 100}
    waiting = [asyncio.create_task(poll(after=0, wait=20)) for _ in range(100)]
    await until(lambda: str(topic) in hub._followed and hub._followed[str(topic)].users == 100)
    assert hub.topics == 1
    await write(topic, "a")
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*waiting)
    assert {answer.content for answer in answers} == {answers[0].content}
    assert hub._followed[str(topic)].users == 0


async def test_so_many_long_polls_of_a_person_wait_and_one_more_is_refused(poll, topic, write, hub, settings):
    settings.LIMITS = settings.LIMITS | {"waiting_polls": 2}
    waiting = [asyncio.create_task(poll(after=0, wait=20)) for _ in range(2)]
    await until(lambda: str(topic) in hub._followed and hub._followed[str(topic)].users == 2)
    refused = await poll(after=0, wait=20)
    assert refusal(refused)[:2] == (429, "too_fast")
    assert refused.headers["retry-after"] == "1"
    await write(topic, "a")
    async with asyncio.timeout(5):
        assert [texts(await one) for one in waiting] == [["a"]] * 2
        assert texts(await poll(after=1, wait=1)) == [], "their places are free again"


async def test_who_asks_too_often_is_told_when_to_come_back(poll, topic, settings):
    settings.LIMITS = settings.LIMITS | {"reads_per_second": 3}
    statuses = [(await poll(after=0)).status_code for _ in range(5)]
    assert statuses[:3] == [200] * 3 and statuses[-1] == 429


async def test_a_server_that_stops_answers_first_who_waits(poll, topic, write, hub, monkeypatch):
    await write(topic, "a")
    tag = (await poll(after=1)).headers["etag"]
    waiting = [asyncio.create_task(poll(after=1, wait=20, headers=sent)) for sent in (None, {"If-None-Match": tag})]
    await until(lambda: str(topic) in hub._followed and len(hub._followed[str(topic)].tail._waiters) == 2)

    async def stop(server, sockets=None):
        async with asyncio.timeout(2):
            assert [(await one).status_code for one in waiting] == [200, 304]
            assert texts(await poll(after=1, wait=20)) == [], "who comes late does not wait either"

    monkeypatch.setattr(uvicorn.Server, "shutdown", stop)
    await Server(uvicorn.Config("project.asgi:application", log_config=None)).shutdown()


async def test_a_client_that_hangs_up_while_it_waits_leaves_nothing(poll, topic, hub):
    waiting = asyncio.create_task(poll(after=0, wait=20))
    await until(lambda: str(topic) in hub._followed)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await until(lambda: hub._followed[str(topic)].users == 0)


async def test_a_short_poll_that_finds_nothing_is_304_and_reads_no_events(poll, topic, write):
    await write(topic, "a", "b")
    first = await poll(after=2)
    assert (first.status_code, texts(first)) == (200, [])
    assert int(first.headers["retry-after"]) >= 1
    log.reads.clear()
    again = await poll(after=2, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert int(again.headers["retry-after"]) >= 1
    assert log.reads[str(topic)] == 0


async def test_a_tag_is_known_however_it_comes_back(poll, topic, write):
    await write(topic, "a")
    tag = (await poll(after=1)).headers["etag"]
    for known in (f"W/{tag}", f'"of another page", {tag}', f'W/"b",W/{tag}', "*"):
        assert (await poll(after=1, headers={"If-None-Match": known})).status_code == 304, known
    for other in ('"b"', tag.strip('"'), f"{tag[:-1]}0{tag[-1]}", "W/", "", '"' * 99, f"{tag[:-1]}"):
        assert (await poll(after=1, headers={"If-None-Match": other})).status_code == 200, other


async def test_a_tag_stands_for_what_was_asked_for(poll, topic, write, settings):
    await write(topic, "a")
    questions = [
        {},
        {"match": "b"},
        {"match": ["b", "c"]},
        {"match": "b", "places": 1},
        {"type": "story_line"},
        {"where.text": "b"},
        {"where.text": ["b", "c"]},
    ]
    settings.LIMITS = settings.LIMITS | {"filtered_reads_per_second": 1_000}
    tags = [(await poll(after=1, **question)).headers["etag"] for question in questions]
    for question, mine in zip(questions, tags, strict=True):
        knows = [(await poll(after=1, **question, headers={"If-None-Match": tag})).status_code == 304 for tag in tags]
        assert knows == [tag == mine for tag in tags], question
    assert len(set(tags)) == len(questions)
    again = await poll(after=1, **{"where.text": ["c", "b"]}, wait=1, headers={"If-None-Match": tags[-1]})
    assert again.status_code == 304, "in whatever order"


async def test_a_known_tag_hides_no_news(poll, topic, write):
    await write(topic, "a")
    tag = (await poll(after=1)).headers["etag"]
    await write(topic, "b")
    response = await poll(after=1, headers={"If-None-Match": tag})
    assert texts(response) == ["b"]
    assert response.headers["etag"] != tag


async def test_a_tag_of_another_life_is_not_304(poll, topic, write):
    await write(topic, "a")
    first = await poll(after=1)
    await in_writer(store.start_epoch, [str(topic)])
    again = await poll(after=1, epoch=first.json()["epoch"], headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.json()["reset"]) == (200, True)


async def test_a_wrong_epoch_is_reset_and_not_kept_waiting(poll, topic, write):
    await write(topic, "a", "b")
    async with asyncio.timeout(2):
        page = (await poll(after=1, epoch="elsewhere", wait=20)).json()
    assert (page["reset"], page["events"], page["head"]) == (True, [], 2)


@pytest.mark.parametrize("after", [0, 1, 99])
async def test_a_cursor_that_is_pruned_or_ahead_is_reset(poll, topic, write, after):
    await write(topic, "a", "b", "c")
    await in_writer(_prune, topic, 2)
    page = (await poll(after=after, wait=20)).json()
    assert (page["reset"], page["events"], page["head"], page["floor"]) == (True, [], 3, 2)
    assert texts(await poll(after=2)) == ["c"]


def _prune(topic, floor):
    Head.objects.filter(topic=str(topic)).update(floor=floor)
    StoredEvent.objects.filter(topic=str(topic), seq__lte=floor).delete()


async def test_a_new_life_ends_the_wait(poll, topic, write, hub):
    await write(topic, "a")
    epoch = (await in_reader(store.position, str(topic))).epoch
    waiting = asyncio.create_task(poll(after=1, epoch=epoch, wait=20))
    await until(lambda: str(topic) in hub._followed)
    await in_writer(store.start_epoch, [str(topic)])
    await hub.look()
    async with asyncio.timeout(2):
        assert (await waiting).json()["reset"] is True


async def test_before_pages_backwards(poll, topic, write):
    await write(topic, *"abcde")
    pages = [texts(await poll(before=before, limit=2)) for before in (6, 4, 2, 1, 0)]
    assert pages == [["d", "e"], ["b", "c"], ["a"], [], []]


async def test_the_number_of_events_has_a_limit(poll, topic, write):
    await write(topic, *(str(n) for n in range(MOST_EVENTS + 10)))
    assert texts(await poll(after=0, limit=3)) == ["0", "1", "2"]
    assert len(texts(await poll(after=0, limit=10**9))) == MOST_EVENTS
    assert len(texts(await poll(after=0))) == log.PAGE
    assert len(texts(await poll(after=0, limit=0))) == 1


async def test_a_topic_on_which_nothing_happened_is_an_empty_page(poll):
    page = (await poll(after=0)).json()
    assert (page["events"], page["head"], page["reset"]) == ([], 0, False)


async def test_a_number_that_is_none_is_refused_in_words(poll):
    for name in ("after", "limit", "wait", "before"):
        for value in ("-1", "1.5", "x", "NaN", "1e3", "99999999999999999999", "0x10", "\0", "9" * 5_000):
            status, code, message = refusal(await poll(**{name: value}))
            assert (status, code) == (400, "invalid"), (name, value)
            assert name in message and message.endswith(".")


async def test_no_topic_is_refused_in_words(poll):
    assert refusal(await poll(topic=""))[:2] == (400, "invalid")


async def test_a_topic_that_does_not_exist_is_not_found(poll):
    for name in ("story", "nowhere.1", "story.a.b", "story.\0", "x" * 10_000, "story.*", "☃"):
        assert refusal(await poll(topic=name))[:2] == (404, "not_found"), name


async def test_a_stranger_gets_the_answer_of_a_topic_that_does_not_exist(http, hub, team, alice, mallory):
    async def ask(who, topic):
        token = await in_writer(lambda: tokens.issue(who).access)
        return await http.get(LOG, params={"topic": topic}, headers={"Authorization": f"Bearer {token}"})

    assert (await ask(alice, f"team.{team.pk}")).status_code == 200
    hidden = refusal(await ask(mallory, f"team.{team.pk}"))
    missing = refusal(await ask(mallory, "team.5b2a5c1e-0000-4000-8000-000000000000"))
    assert hidden[:2] == missing[:2] == (404, "not_found")
    assert hidden[2].rpartition(" ")[0] == missing[2].rpartition(" ")[0]


async def test_nobody_gets_nothing(http, hub):
    for credentials in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}):
        for name in ("story.a", "nowhere.1"):
            response = await http.get(LOG, params={"topic": name}, headers=credentials)
            assert refusal(response)[:2] == (401, "unauthenticated"), (credentials, name)


async def test_an_agent_reads_with_its_key(http, hub, topic, write, agent_key):
    await write(topic, "a")
    response = await http.get(
        LOG, params={"topic": str(topic)}, headers={"Authorization": f"Bearer {agent_key.secret}"}
    )
    assert texts(response) == ["a"]


async def test_a_page_reads_with_its_session_cookie(http, hub, topic, write, alice):
    browser = Browser()
    await asyncio.to_thread(browser.force_login, alice)
    await write(topic, "a")
    name = settings.SESSION_COOKIE_NAME
    cookie = {"Cookie": f"{name}={browser.cookies[name].value}"}
    assert texts(await http.get(LOG, params={"topic": str(topic)}, headers=cookie)) == ["a"]
    wrong = await http.get(LOG, params={"topic": str(topic)}, headers={"Cookie": f"{name}=nonsense"})
    assert wrong.status_code == 401


async def test_rights_that_end_while_one_waits_are_not_served(poll, topic, write, hub, alice):
    waiting = asyncio.create_task(poll(after=0, wait=20))
    await until(lambda: str(topic) in hub._followed)
    await in_writer(TokenFamily.objects.filter(user=alice).update, ended_at=timezone.now())
    await write(topic, "a secret")
    async with asyncio.timeout(2):
        assert refusal(await waiting)[:2] == (401, "unauthenticated")


async def test_a_deactivated_person_reads_nothing(poll, alice):
    assert (await poll(after=0)).status_code == 200
    await in_writer(User.objects.filter(pk=alice.pk).update, is_active=False)
    assert (await poll(after=0)).status_code == 401


async def test_a_database_that_is_away_is_said_in_words(poll, topic, monkeypatch):
    def away(*args):
        raise OperationalError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(store, "position", away)
        response = await poll(after=0)
    assert refusal(response)[:2] == (503, "unavailable")
    assert response.headers["retry-after"] == "1"


async def test_what_fails_here_is_said_in_words_and_logged(poll, monkeypatch, caplog):
    monkeypatch.setattr(store, "position", lambda *args: 1 / 0)
    assert refusal(await poll(after=0))[:2] == (503, "unavailable")
    [record] = [record for record in caplog.records if record.name == "apps.gateway.asgi"]
    assert record.exc_info[0] is ZeroDivisionError


async def test_only_reading_is_allowed(http, hub, token):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        response = await http.request(method, LOG, headers={"Authorization": f"Bearer {token}"})
        assert response.headers["allow"] == "GET"
        assert refusal(response) == (405, "method_not_allowed", "Here one can only read: GET.")


async def test_head_says_the_same_without_a_body(http, token, topic, write):
    await write(topic, "a")
    headers = {"Authorization": f"Bearer {token}"}
    full = await http.get(LOG, params={"topic": str(topic)}, headers=headers)
    bare = await http.head(LOG, params={"topic": str(topic)}, headers=headers)
    assert (bare.status_code, bare.content, bare.headers["etag"]) == (200, b"", full.headers["etag"])
    assert bare.headers["content-length"] == full.headers["content-length"] == str(len(full.content))


async def test_who_hangs_up_is_not_waited_for():
    """The server says so to whoever listens, and to nobody else."""
    ended = []

    async def wait_for_ever(request):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(request.path)

    said = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        return said.pop()

    scope = {"type": "http", "method": "GET", "path": "/wait", "headers": [(b"host", b"testserver")]}
    async with asyncio.timeout(2):
        await without_middleware(wait_for_ever)(scope, receive, None)
        await until(lambda: ended == ["/wait"])


async def test_another_hosts_name_is_refused(http, token, topic):
    headers = {"Authorization": f"Bearer {token}", "Host": "evil.example"}
    status, code, message = refusal(await http.get(LOG, params={"topic": str(topic)}, headers=headers))
    assert (status, code) == (400, "invalid") and "name" in message


async def test_an_address_with_too_much_in_it_is_refused(http, token):
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{LOG}?{'a&' * settings.DATA_UPLOAD_MAX_NUMBER_FIELDS}a"
    status, code, message = refusal(await http.get(address, headers=headers))
    assert (status, code) == (400, "invalid") and "parameters" in message


async def test_what_it_says_is_never_taken_for_a_page(poll, topic):
    response = await poll(after=0)
    assert response.headers["x-content-type-options"] == "nosniff"
    json.loads(response.content)
