"""Which team a management command is for."""

import argparse
from uuid import UUID

from django.core.management.base import CommandError

from apps.accounts.models import Team


def add_team_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--team", metavar="TEAM", help="A team's name or id; left out: the oldest team.")


def team_called(name: str | None) -> Team:
    """The team of this name or id, the oldest one for None. CommandError if there is none, or several of that name."""
    if name is None:
        team = Team.objects.order_by("created_at", "id").first()
        if team is None:
            raise CommandError("There is no team yet.")
        return team
    teams = list(Team.objects.filter(name=name)[:2])
    if not teams:
        try:
            teams = list(Team.objects.filter(pk=UUID(name)))
        except ValueError:
            teams = []
    if len(teams) != 1:
        raise CommandError(f'There {"are several teams" if teams else "is no team"} called "{name}"; give its id.')
    return teams[0]
