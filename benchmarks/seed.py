"""Fills a fresh DATA_DIR for a benchmark: `python -m benchmarks.seed USERS` prints a `Seed` as JSON."""

import json
import os
import sys
from dataclasses import asdict, dataclass

PASSWORDLESS = "!"


@dataclass(frozen=True)
class Seed:
    """One team: an access token for each of its people, an API key for its agents."""

    team_id: str
    key: str
    tokens: list[str]


def plant(users: int) -> Seed:
    """Migrate, and make a team with `users` operators."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import transaction

    from apps.accounts import services, tokens
    from apps.accounts.actors import SYSTEM
    from apps.accounts.models import Membership
    from apps.accounts.roles import Role

    call_command("migrate", interactive=False, verbosity=0)
    user_model = get_user_model()
    with transaction.atomic():
        names = [user_model(username=f"watcher-{number}", password=PASSWORDLESS) for number in range(users)]
        user_model.objects.bulk_create(names)
        people = list(user_model.objects.order_by("pk"))
        team = services.create_team(SYSTEM, name="Bench", owner=people[0])
        others = [Membership(team=team, user=user, role=Role.OPERATOR) for user in people[1:]]
        Membership.objects.bulk_create(others)
        _, key = services.create_key(SYSTEM, team=team, name="bench agents")
        access = [tokens.issue(user).access for user in people]
    return Seed(team_id=str(team.pk), key=key, tokens=access)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    print(json.dumps(asdict(plant(int(sys.argv[1])))))
