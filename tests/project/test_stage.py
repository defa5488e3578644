"""The stage the other tests stand on does what it says."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.support.servers import LiveServer


def test_the_cast_has_its_roles(alice: Any, bob: Any, victor: Any, mallory: Any, team: Any, agent_key: Any) -> None:
    from apps.accounts.roles import Role

    roles = dict(team.memberships.values_list("user__username", "role"))
    assert roles == {"alice": Role.OWNER, "bob": Role.OPERATOR, "victor": Role.VIEWER}
    assert mallory.username not in roles
    assert agent_key.team == team and agent_key.secret


async def test_a_live_server_answers_its_cast(
    server: LiveServer, connect: Any, api: Any, alice: Any, team: Any
) -> None:
    socket = await connect(alice, follow=team.topic)
    assert (await socket.ask("ping"))["type"] == "pong"

    page = await api(alice).page(team.topic)
    assert page["topic"] == team.topic

    [[members]] = server.do("tests.support.seed:sql", "SELECT count(*) FROM accounts_membership WHERE role = 3")
    assert members >= 1


async def test_a_stranger_is_told_nothing(connect: Any, mallory: Any, team: Any) -> None:
    socket = await connect(mallory)
    for topic in (team.topic, f"team.{uuid4()}"):
        answer = await socket.ask("subscribe", topic)
        assert answer["data"]["code"] == "not_found"


@pytest.mark.own_server
@pytest.mark.variants("uvicorn", "sqlite")
async def test_a_server_comes_back_on_its_port_with_its_data(
    server: LiveServer, connect: Any, api: Any, alice: Any, team: Any
) -> None:
    socket = await connect(alice)
    before = await api(alice).page(team.topic)
    server.kill9()
    assert await socket.closed() == 1006
    await asyncio.to_thread(server.start)
    assert await api(alice).page(team.topic) == before


@pytest.mark.own_server
@pytest.mark.variants("uvicorn", "sqlite")
async def test_a_terminated_server_says_goodbye(server: LiveServer, connect: Any, alice: Any) -> None:
    socket = await connect(alice)
    assert await asyncio.to_thread(server.terminate) == 0
    assert await socket.closed() == 1012


@pytest.mark.own_server
@pytest.mark.variants("uvicorn", "postgres")
async def test_redis_can_be_killed_and_come_back(server: LiveServer, connect: Any, alice: Any, team: Any) -> None:
    server.stop_redis()
    server.start_redis()
    assert await connect(alice, follow=team.topic)
