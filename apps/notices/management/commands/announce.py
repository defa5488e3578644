"""`manage.py announce TEXT`: tell everybody who is logged in, or one person."""

import argparse
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.actors import SYSTEM
from apps.accounts.models import User
from apps.accounts.refusals import Refusal
from apps.events.dispatch import perform_sync
from apps.notices.contract import Broadcast, Notify, SystemTopic, UserTopic
from apps.notices.models import Level


class Command(BaseCommand):
    help = "Tell everybody who is logged in something; with --to, one person. It appears on their pages at once."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("text", metavar="TEXT", help="What they read.")
        parser.add_argument("--level", choices=Level.values, default=Level.INFO.value, help="How much it matters.")
        parser.add_argument("--link", metavar="ADDRESS", help="Where it leads: /tasks/, https://…")
        parser.add_argument("--to", metavar="USERNAME", help="One person, instead of everybody.")

    def handle(self, *args: Any, text: str, level: str, link: str | None, to: str | None, **options: Any) -> None:
        type, topic = (Broadcast.TYPE, str(SystemTopic())) if to is None else (Notify.TYPE, _topic_of(to))
        data = {"message": text, "level": level, "link": link}
        try:
            perform_sync(SYSTEM, {"type": type, "id": str(uuid4()), "topic": topic, "data": data})
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"Sent to {to or 'everybody'}.")


def _topic_of(username: str) -> str:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f'There is no user "{username}".')
    return str(UserTopic(user_id=user.pk))
