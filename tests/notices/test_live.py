"""Notices on live servers of all kinds: whoever may hears of them, over whichever door."""

import asyncio
from uuid import uuid4

import pytest

from tests.conftest import Person


@pytest.fixture
def sam(server):
    """A member of staff."""
    return Person(**server.do("tests.support.seed:make_user", f"sam-{uuid4().hex[:8]}", staff=True))


def waiting_for_news(person, topic, head):
    """A long poll that is held open."""
    return asyncio.create_task(person.page(topic, head, wait=10))


async def test_a_broadcast_reaches_sockets_and_pollers_with_the_same_words(sam, alice, mallory, connect, api):
    head = (await api(mallory).page("system", before=0, after=None))["head"]
    sockets = [await connect(person, follow="system") for person in (alice, mallory)]
    polling = waiting_for_news(api(mallory), "system", head)
    answer = await api(sam).post("/api/v1/ws/broadcast", json={"message": "<b>Back</b> at ten", "level": "warning"})
    assert answer.status_code == 201, answer.text
    pushed = [await socket.events(1) for socket in sockets]
    polled = (await polling)["events"]

    assert pushed == [polled, polled]
    [event] = polled
    assert (event["type"], event["seq"]) == ("system", answer.json()["seq"])
    assert event["data"] == answer.json()["data"]
    assert (event["data"]["message"], event["data"]["level"]) == ("<b>Back</b> at ten", "warning")


async def test_a_notification_reaches_its_person_alone(sam, alice, bob, connect, api):
    hers, his = f"user.{alice.id}", f"user.{bob.id}"
    hears, hears_not = await connect(alice, follow=hers), await connect(bob, follow=his)
    polling = waiting_for_news(api(alice), hers, 0)
    answer = await api(sam).post(f"/api/v1/ws/user/{alice.id}", json={"message": "For you"})
    assert answer.status_code == 201, answer.text
    assert await hears.events(1) == (await polling)["events"]
    await hears_not.no_events()


async def test_nobody_else_reads_a_persons_topic_not_even_staff(sam, alice, bob, agent_key, connect, api):
    topic = f"user.{alice.id}"
    for stranger in (bob, sam, agent_key):
        refused = await (await connect(stranger)).ask("subscribe", topic)
        assert (refused["type"], refused["data"]["code"]) == ("error", "not_found")
        answer = await api(stranger).get("/api/v1/events/", params={"topic": topic})
        assert answer.status_code == 404


async def test_who_is_not_staff_tells_nobody_over_any_door(alice, mallory, connect, api):
    listening = await connect(alice, follow="system")
    told = {"message": "Hello"}
    assert (await api(mallory).post("/api/v1/ws/broadcast", json=told)).status_code == 403
    assert (await api(mallory).post(f"/api/v1/ws/user/{alice.id}", json=told)).status_code == 403
    assert (await api(mallory).send_frame("notice:broadcast", "system", **told)).status_code == 403
    speaking = await connect(mallory)
    refused = [
        await speaking.ask("notice:broadcast", "system", **told),
        await speaking.ask("notice:send", f"user.{alice.id}", **told),
    ]
    assert [answer["data"]["code"] for answer in refused] == ["forbidden", "not_found"]
    await listening.no_events()


async def test_staff_may_send_over_the_socket_too_and_a_frame_sent_again_is_told_once(sam, alice, connect):
    listening = await connect(alice, follow="system")
    speaking = await connect(sam)
    acks = [await speaking.ask("notice:broadcast", "system", id=f"again-{sam.id}", message="Once") for _ in range(2)]
    assert acks[0] == acks[1]
    assert [event["data"]["message"] for event in await listening.events(1)] == ["Once"]
    await listening.no_events()


async def test_the_command_is_heard_by_a_server_that_runs(server, alice, connect):
    listening = await connect(alice, follow="system")
    server.do("django.core.management:call_command", "announce", "From the shell", level="error")
    [event] = await listening.events(1)
    assert (event["data"]["message"], event["data"]["level"]) == ("From the shell", "error")
