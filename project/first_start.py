"""What an embedded installation has from its first start: an admin, a team, a key for its own agents, the examples."""

import os
import secrets
from collections.abc import Collection
from pathlib import Path

from django.contrib.auth import get_user_model
from django.db import transaction

from apps.accounts import services
from apps.accounts.actors import SYSTEM
from apps.accounts.models import ApiKey, Membership, Team
from apps.accounts.roles import Role
from apps.swarm import services as swarm

TEAM_NAME = "Home"
KEY_NAME = "local agents"


def make_admin(username: str, password: str) -> str | None:
    """Make the first superuser; gives the password if it was made up here, None if there is nothing to tell."""
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return None
    made_up = "" if password else secrets.token_urlsafe(12)
    users.create_superuser(username or "admin", password=password or made_up)
    return made_up or None


@transaction.atomic
def make_home() -> Team:
    """The team of this installation; a team that nobody owns gets the first superuser."""
    admin = get_user_model().objects.filter(is_superuser=True).order_by("pk").first()
    team = Team.objects.order_by("created_at").first()
    if team is None:
        return services.create_team(SYSTEM, name=TEAM_NAME, owner=admin)
    if admin and not team.memberships.filter(role=Role.OWNER).exists():
        Membership.objects.update_or_create(user=admin, team=team, defaults={"role": Role.OWNER})
    return team


def keep_key(team: Team, path: Path) -> None:
    """See to it that `path` holds a valid API key of the team, readable by its owner only."""
    if path.exists() and ApiKey.objects.is_valid(path.read_text().strip()):
        return
    _, key = services.create_key(SYSTEM, team=team, name=KEY_NAME)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(key)
    beside.replace(path)


def examples() -> list[str]:
    """The projects of `examples/`."""
    return list(swarm.examples())


def load_examples(team: Team, names: Collection[str]) -> None:
    """Offer some of the `examples()` in the team."""
    swarm.load_examples(team, names)
