"""What an address follows from the start."""

from typing import Any

from apps.accounts import services
from apps.accounts.actors import Actor
from project.sockets import agents_of_user


def test_more_teams_than_may_be_followed_are_not_left_out_in_silence(alice: Any, team: Any, settings: Any) -> None:
    settings.LIMITS = settings.LIMITS | {"topics": 2}
    teams = [team, *[services.create_team(Actor(user=alice), name=name) for name in ("a", "b", "c")]]
    scope = {"url_route": {"kwargs": {"user_id": str(alice.pk)}}}
    followed = agents_of_user(Actor(user=alice), scope)
    assert [str(topic) for topic in followed] == [f"team.{one.pk}" for one in teams[:3]], (
        "the third is refused in words"
    )
