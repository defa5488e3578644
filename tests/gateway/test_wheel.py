"""The wheel: tokens that end, clients that fall silent, and access that was taken away."""

import asyncio
import itertools
import json
import threading
import time
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError, transaction

from apps.accounts import services, tokens
from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.authentication import actor_from_bearer
from apps.accounts.models import Membership, TokenFamily, User
from apps.accounts.refusals import Silent, Unauthenticated
from apps.accounts.revocations import Revocation
from apps.accounts.roles import Role
from apps.events import dispatch, log
from apps.events.declare import Topic
from apps.events.threads import in_reader, in_writer
from apps.gateway import connection as connections
from apps.gateway import hub as hubs
from apps.gateway import registry, wheel
from apps.gateway.models import ServerProcess
from apps.gateway.wheel import WARN_SECONDS
from tests.gateway.conftest import until
from tests.gateway.fakes import Client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nobody_is_here(monkeypatch):
    monkeypatch.setattr(registry, "live", {})


@pytest.fixture
async def process(settings):
    """This process with its own hub, as it serves: it hears notices."""
    settings.HEADS_CHECK_SECONDS = 3600
    await hubs.stop()
    yield await hubs.current()
    await hubs.stop()


def connected(actor, topic="story.a"):
    """A client whose socket this process knows."""
    client = Client(topic, actor=actor)
    registry.live[client.connection.id] = client.connection
    return client


def told(client):
    """The types of what was written since the last look."""
    client.connection._flush_answers()
    return [message["type"] for message in client.outlet.taken()]


# Tokens


async def test_a_token_that_ends_soon_is_announced_once(alice):
    client = connected(Actor(user=alice, expires_at=time.time() + WARN_SECONDS - 1))
    wheel._check_token(client.connection)
    client.connection._flush_answers()
    [warning] = client.outlet.taken()
    assert warning["type"] == "token_expiring"
    assert WARN_SECONDS - 3 <= warning["data"]["seconds"] <= WARN_SECONDS
    for _ in range(3):
        wheel._check_token(client.connection)
    assert told(client) == []


async def test_a_token_with_time_left_is_not_announced(alice):
    client = connected(Actor(user=alice, expires_at=time.time() + WARN_SECONDS + 5))
    wheel._check_token(client.connection)
    assert told(client) == []


async def test_a_token_of_a_short_life_is_announced_in_the_middle_of_it(alice, settings):
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, "ACCESS_TOKEN_LIFETIME": timedelta(seconds=8)}
    client = connected(Actor(user=alice, expires_at=time.time() + 7))
    wheel._check_token(client.connection)
    assert told(client) == [], "renewed already, it would be renewed again every second"
    client.connection.actor = replace(client.connection.actor, expires_at=time.time() + 3.9)
    wheel._check_token(client.connection)
    assert told(client) == ["token_expiring"]


async def test_who_needs_no_token_is_never_announced(alice):
    client = connected(Actor(user=alice, session_key="a"))
    wheel._check_token(client.connection)
    assert (told(client), client.outlet.closed) == ([], None)


async def test_a_token_that_has_ended_ends_the_connection(alice):
    client = connected(Actor(user=alice, expires_at=time.time() - 0.1))
    wheel._check_token(client.connection)
    await until(lambda: client.outlet.closed)
    assert client.outlet.closed[0] == 4401
    assert told(client) == ["error"], "the reason is said, since some servers drop it from the close"


async def test_a_token_that_ends_while_it_is_looked_at_was_not_taken_away(alice, monkeypatch):
    renewed = connections.renewed

    def slowly(actor):
        time.sleep(max(0.0, actor.expires_at - time.time()))
        return renewed(actor)

    monkeypatch.setattr(connections, "renewed", slowly)
    client = connected(Actor(user=alice, expires_at=time.time() + 0.3))
    await wheel._check_rights([client.connection])
    await until(lambda: client.outlet.closed)
    assert client.outlet.closed[0] == 4401, "who is told 4440 does not come back"


async def test_a_refreshed_token_keeps_the_connection_and_is_announced_again(alice):
    client = connected(await in_writer(lambda: actor_from_bearer(tokens.issue(alice).access)))
    client.connection.actor = replace(client.connection.actor, expires_at=time.time() + 5)
    wheel._check_token(client.connection)
    fresh = await in_writer(lambda: tokens.issue(alice).access)
    await client.connection.take(f'{{"type":"token_refresh","id":"r","data":{{"token":"{fresh}"}}}}')
    assert told(client) == ["token_expiring", "ack"]
    wheel._check_token(client.connection)
    assert (told(client), client.outlet.closed) == ([], None)
    client.connection.actor = replace(client.connection.actor, expires_at=time.time() + 5)
    wheel._check_token(client.connection)
    assert told(client) == ["token_expiring"]


async def test_somebody_elses_token_refreshes_nothing(alice, bob):
    client = connected(await in_writer(lambda: actor_from_bearer(tokens.issue(alice).access)))
    before = client.connection.actor
    his = await in_writer(lambda: tokens.issue(bob).access)
    await client.connection.take(f'{{"type":"token_refresh","id":"r","data":{{"token":"{his}"}}}}')
    assert told(client) == ["error"]
    assert client.connection.actor == before


# Silence


@pytest.mark.parametrize(
    ("beats", "pings", "code"), [(0.9, 0, None), (1.5, 1, None), (2.3, 1, None), (2.5, 0, Silent.close_code)]
)
async def test_a_silent_client_is_pinged_and_then_dropped(settings, beats, pings, code):
    client = connected(SYSTEM)
    now = time.monotonic()
    client.outlet.alive_at = now - beats * settings.HEARTBEAT_SECONDS
    wheel._check_silence(client.connection, now)
    await asyncio.sleep(0.005)
    assert client.outlet.pings == pings
    assert (client.outlet.closed or (None,))[0] == code
    said = [frame["data"]["code"] for frame in client.outlet.taken() if frame["type"] == "error"]
    assert said == (["silent"] if code else [])


async def test_where_the_server_watches_silence_itself_nothing_is_done():
    client = connected(SYSTEM)
    client.outlet.alive_at = 0.0
    wheel._check_silence(client.connection, now=1e9)
    await asyncio.sleep(0.005)
    assert (client.outlet.pings, client.outlet.closed) == (0, None)


# Rights


async def test_a_deactivated_person_is_shut_out_at_once(process, alice, bob):
    hers, his = connected(Actor(user=alice)), connected(Actor(user=bob))
    await in_writer(lambda: services.deactivate_user(SYSTEM, user=alice))
    await until(lambda: hers.outlet.closed)
    assert hers.outlet.closed[0] == 4440
    assert his.outlet.closed is None


async def test_the_sockets_of_this_process_need_no_channel_layer(process, alice, monkeypatch):
    monkeypatch.setattr(log, "notify", lambda notice: None)
    hers = connected(Actor(user=alice))
    await in_writer(lambda: services.deactivate_user(SYSTEM, user=alice))
    await until(lambda: hers.outlet.closed)


async def test_a_revocation_is_looked_at_once_wherever_it_comes_from(process, alice, monkeypatch):
    looked_at, heard = [], []
    monkeypatch.setattr(wheel, "_look_at_sockets", looked_at.append)
    hear = process._on_notice
    monkeypatch.setattr(process, "_on_notice", lambda notice: (heard.append(notice), hear(notice)))
    await in_writer(lambda: services.deactivate_user(SYSTEM, user=alice))
    await until(lambda: heard)
    assert looked_at == [Revocation(user_id=alice.pk)]
    process._on_notice(heard[0] | {"process": "another"})
    assert looked_at == [Revocation(user_id=alice.pk)] * 2


@pytest.fixture
def unsure(monkeypatch):
    """The database gives no answer to who asks whether access still holds, until it is `there`."""

    class Unsure:
        there = False
        asked = 0

        def renewed(self, actor):
            self.asked += 1
            if not self.there:
                raise OperationalError("the database is locked")
            return renewed(actor)

    renewed, unsure = connections.renewed, Unsure()
    monkeypatch.setattr(connections, "renewed", unsure.renewed)
    monkeypatch.setattr(wheel, "TICK_SECONDS", 0.01)
    return unsure


async def test_access_that_may_have_ended_is_looked_at_until_the_database_answers(process, alice, unsure):
    hers = connected(Actor(user=alice))
    await in_writer(lambda: services.deactivate_user(SYSTEM, user=alice))
    await until(lambda: unsure.asked >= 6)
    assert hers.outlet.closed is None
    unsure.there = True
    await until(lambda: hers.outlet.closed)
    assert hers.outlet.closed[0] == 4440


async def test_who_comes_in_is_looked_at_until_the_database_answers(process, alice, unsure, monkeypatch):
    monkeypatch.setattr(wheel, "start", lambda: None)
    hers = connected(Actor(user=alice))
    await in_writer(User.objects.filter(pk=alice.pk).update, is_active=False)
    await wheel.watch(hers.connection)
    unsure.there = True
    await until(lambda: hers.outlet.closed)


async def test_who_has_gone_is_looked_at_no_more(process, alice, unsure):
    hers = connected(Actor(user=alice))
    looking = asyncio.create_task(wheel._check_until_known([hers.connection]))
    await until(lambda: unsure.asked)
    del registry.live[hers.connection.id]
    async with asyncio.timeout(5):
        await looking


async def test_a_revoked_key_loses_its_socket(process, alice, agent_key):
    agent = connected(Actor(key=agent_key))
    await in_writer(lambda: services.revoke_key(Actor(user=alice), key=agent_key))
    await until(lambda: agent.outlet.closed)
    assert agent.outlet.closed[0] == 4440


async def test_a_logout_ends_the_connections_of_that_login_only(process, alice):
    first, second = [await in_writer(lambda: tokens.issue(alice)) for _ in range(2)]
    here = connected(await in_reader(actor_from_bearer, first.access))
    there = connected(await in_reader(actor_from_bearer, second.access))
    await in_writer(tokens.end, first.refresh)
    await until(lambda: here.outlet.closed)
    assert here.outlet.closed[0] == 4440
    await asyncio.sleep(0.05)
    assert there.outlet.closed is None


async def test_a_removed_member_loses_the_topic_and_keeps_the_connection(process, team, alice, bob):
    his, hers = connected(Actor(user=bob), f"team.{team.pk}"), connected(Actor(user=alice), f"team.{team.pk}")
    for client in (his, hers):
        await client.follow()
    await in_writer(lambda: services.remove_member(Actor(user=alice), team=team, user=bob))
    await until(lambda: not his.connection.readers)
    his.connection._flush_answers()
    [goodbye] = [message for message in his.outlet.taken() if message["type"] == "unsubscribed"]
    assert (goodbye["topic"], goodbye["data"]["code"]) == (f"team.{team.pk}", "forbidden")
    assert his.outlet.closed is None
    assert hers.connection.readers


async def test_a_change_that_was_rolled_back_shuts_nobody_out(process, alice):
    client = connected(Actor(user=alice))

    def change_ones_mind():
        with transaction.atomic():
            services.deactivate_user(SYSTEM, user=alice)
            transaction.set_rollback(True)

    await in_writer(change_ones_mind)
    await asyncio.sleep(0.1)
    assert client.outlet.closed is None


@pytest.fixture
async def regular_look(monkeypatch):
    """Everybody has a turn every fifth of a second."""
    monkeypatch.setattr(wheel, "TICK_SECONDS", 0.2)
    monkeypatch.setattr(wheel, "RIGHTS_EVERY_SECONDS", 0.2)
    looking = asyncio.create_task(wheel._look_around())
    yield
    looking.cancel()


async def test_a_revocation_that_was_not_told_is_found_by_the_regular_look(process, alice, bob, regular_look):
    hers, his = connected(Actor(user=alice)), connected(Actor(user=bob))
    await in_writer(User.objects.filter(pk=alice.pk).update, is_active=False)
    await until(lambda: hers.outlet.closed)
    assert hers.outlet.closed[0] == 4440
    assert his.outlet.closed is None


async def test_the_regular_looks_are_spread_over_the_time_that_they_have(alice, bob, monkeypatch, regular_look):
    looks = []

    async def look(connections):
        looks.append((asyncio.get_running_loop().time(), *connections))

    monkeypatch.setattr(wheel, "_check_rights", look)
    clients = [connected(Actor(user=user)) for user in (alice, bob, alice, bob)]
    await until(lambda: len(looks) >= 8)
    turns = [looks[:4], looks[4:8]]
    assert [[connection for _, connection in turn] for turn in turns] == [[c.connection for c in clients]] * 2
    for turn in turns:
        assert turn[3][0] - turn[0][0] > 0.14


async def test_the_regular_look_does_not_wait_for_the_note_that_this_process_is_alive(
    process, alice, monkeypatch, settings
):
    settings.SWEEP_HERE = False
    noting = threading.Event()
    monkeypatch.setattr(wheel, "RIGHTS_EVERY_SECONDS", wheel.TICK_SECONDS)
    monkeypatch.setattr(registry, "note_alive", lambda: noting.wait(20))
    hers = connected(Actor(user=alice))
    await in_writer(User.objects.filter(pk=alice.pk).update, is_active=False)
    wheel.start()
    try:
        await until(lambda: hers.outlet.closed)
    finally:
        noting.set()
        await wheel.stop()


async def test_the_regular_look_finds_a_removed_member_too(process, team, bob):
    his = connected(Actor(user=bob), f"team.{team.pk}")
    await his.follow()
    await in_writer(Membership.objects.filter(user=bob).delete)
    await wheel._check_rights([his.connection])
    assert (his.connection.readers, told(his)) == ({}, ["unsubscribed"])


async def test_a_lower_role_that_still_reads_keeps_the_topic(process, team, alice, bob):
    his = connected(Actor(user=bob), f"team.{team.pk}")
    await his.follow()
    await in_writer(lambda: services.change_role(Actor(user=alice), team=team, user=bob, role=Role.VIEWER))
    await asyncio.sleep(0.1)
    assert his.connection.readers


async def test_a_topic_that_is_lost_while_it_is_being_followed_is_not_followed(process, team, alice, bob, monkeypatch):
    his = connected(Actor(user=bob), f"team.{team.pk}")
    follow = process.follow

    async def slowly(*args, **kwargs):
        followed = await follow(*args, **kwargs)
        await in_writer(lambda: services.remove_member(Actor(user=alice), team=team, user=bob))
        await asyncio.sleep(0.05)  # everybody was told, and this topic was not among his
        return followed

    monkeypatch.setattr(process, "follow", slowly)
    await his.follow()
    assert told(his) == ["error"]
    assert (his.connection.readers, process._followed[f"team.{team.pk}"].users) == ({}, 0)


async def test_a_topic_that_is_lost_for_a_moment_while_it_is_being_followed_is_not_followed(
    process, team, bob, monkeypatch
):
    his = connected(Actor(user=bob), name := f"team.{team.pk}")
    loop, looks = asyncio.get_running_loop(), itertools.count(1)

    def may_now_and_then(topic, actor):
        which = next(looks)
        if which == 2:  # while it is asked again, the wheel asks too
            asyncio.run_coroutine_threadsafe(wheel._check_rights([his.connection]), loop).result(10)
        return which != 3

    monkeypatch.setattr(type(Topic.parse(name)), "can_read", may_now_and_then)
    await his.follow()
    assert (next(looks), told(his)) == (4, ["error"])
    assert (his.connection.readers, process._followed[name].users) == ({}, 0)
    assert not process._followed[name].tail.level


async def test_what_waits_to_be_carried_out_ends_with_the_access(process, alice, monkeypatch):
    carried_out, done = [], []

    def slowly(call):
        carried_out.append(call)
        done.append(asyncio.get_running_loop().create_future())
        return done[-1]

    monkeypatch.setattr(dispatch, "perform", slowly)
    client = connected(Actor(user=alice))
    for n in range(3):
        frame = {"type": "message", "id": str(n), "topic": f"chat.{uuid4()}", "data": {"content": "x"}}
        await client.connection.take(json.dumps(frame))
    await in_writer(lambda: services.deactivate_user(SYSTEM, user=alice))
    await until(lambda: client.outlet.closed)
    done[0].set_result(None)
    await asyncio.sleep(0.01)
    assert len(carried_out) == 1


async def test_a_login_that_ends_while_its_new_token_is_read_ends_the_connection(process, alice, monkeypatch):
    client = connected(Actor(user=alice))
    login = await in_writer(lambda: tokens.issue(alice))

    def slowly(token):
        actor = actor_from_bearer(token)
        tokens.end(login.refresh)  # everybody was told, and this connection had other credentials
        return actor

    monkeypatch.setattr(connections, "actor_from_bearer", slowly)
    await client.connection.take(f'{{"type":"token_refresh","id":"r","data":{{"token":"{login.access}"}}}}')
    await until(lambda: client.outlet.closed)
    assert (client.outlet.closed[0], told(client)) == (4440, ["error"])


async def test_who_is_being_shut_out_does_nothing_more(process, alice, team):
    client = connected(Actor(user=alice), f"team.{team.pk}")
    client.connection.close(Unauthenticated())
    await client.connection.take('{"type":"ping","id":"1"}')
    await until(lambda: client.outlet.closed)
    assert told(client) == ["error"]


# Turning


async def test_it_turns_once_however_often_it_is_started_and_leaves_no_trace(settings):
    settings.SWEEP_HERE = False
    wheel.start()
    turning = list(wheel._turning)
    wheel.start()
    assert wheel._turning == turning

    def is_on_the_books():
        return ServerProcess.objects.filter(pk=registry.process_id).exists()

    async with asyncio.timeout(5):
        while not await in_reader(is_on_the_books):
            await asyncio.sleep(0.01)
    await wheel.stop()
    assert (wheel._turning, [task.cancelled() for task in turning]) == ([], [True, True])
    assert not await in_reader(is_on_the_books)


async def test_a_tick_that_fails_does_not_stop_the_wheel(settings, monkeypatch):
    settings.SWEEP_HERE = False
    ticks = []

    async def stumbling(tick):
        ticks.append(tick)
        raise RuntimeError("a bug")

    monkeypatch.setattr(wheel, "_tick", stumbling)
    monkeypatch.setattr(wheel, "TICK_SECONDS", 0.001)
    wheel.start()
    await until(lambda: len(ticks) >= 3)
    await wheel.stop()


async def test_one_login_that_ended_is_found_on_every_socket_of_it(process, alice):
    access = await in_writer(lambda: tokens.issue(alice).access)
    clients = [connected(await in_reader(actor_from_bearer, access)) for _ in range(3)]
    await in_writer(TokenFamily.objects.filter(user=alice).delete)
    await wheel._check_rights(client.connection for client in clients)
    await until(lambda: all(client.outlet.closed for client in clients))
