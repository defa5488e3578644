"""Called in a process beside the server (`LiveServer.do`): appends, epochs, pruning and rights from elsewhere."""

from typing import Any
from uuid import UUID


def post(topic: str, texts: list[str], size: int = 0) -> int:
    """Append messages in one transaction; the seq of the last one. `size` fills each up to so many characters."""
    from django.db import transaction

    from apps.chat.contract import MessagePosted, Person
    from apps.events import log
    from apps.events.declare import Topic

    events = [
        MessagePosted(message_id=UUID(int=0), content=text.ljust(size, "."), author=Person(id=1, name="elsewhere"))
        for text in texts
    ]
    with transaction.atomic():
        return log.append(Topic.parse(topic), *events).seq


def post_often(topic: str, name: str, count: int) -> None:
    """`count` transactions of one message each."""
    for i in range(count):
        post(topic, [f"{name}.{i}"])


def start_epoch(topic: str) -> None:
    from apps.events.store import start_epoch

    start_epoch([topic])


def prune(topic: str, keep: int) -> None:
    """Only the newest `keep` events of one topic stay."""
    from apps.events.models import Head
    from apps.events.retention import _cut

    _cut(topic, Head.objects.get(topic=topic).seq - keep)


def deactivate(user: int) -> None:
    from apps.accounts.actors import SYSTEM
    from apps.accounts.models import User
    from apps.accounts.services import deactivate_user

    deactivate_user(SYSTEM, user=User.objects.get(pk=user))


def take_staff_rights(user: int) -> None:
    from apps.accounts.models import User
    from apps.accounts.revocations import revoked

    User.objects.filter(pk=user).update(is_staff=False, is_superuser=False)
    revoked(user_id=user)


def remove_member(team: str, user: int) -> None:
    from apps.accounts.actors import SYSTEM
    from apps.accounts.models import Team, User
    from apps.accounts.services import remove_member

    remove_member(SYSTEM, team=Team.objects.get(pk=team), user=User.objects.get(pk=user))


def revoke_key(prefix: str) -> None:
    from apps.accounts.actors import SYSTEM
    from apps.accounts.models import ApiKey
    from apps.accounts.services import revoke_key

    revoke_key(SYSTEM, key=ApiKey.objects.get(prefix=prefix))


def ticket(user: int) -> str:
    from apps.accounts import tickets
    from apps.accounts.actors import Actor
    from apps.accounts.models import User

    return tickets.issue(Actor(user=User.objects.get(pk=user)))


def stored(topic: str) -> list[Any]:
    """What the database says: (seq, content) of each message."""
    from apps.events.models import StoredEvent

    return [(e.seq, e.payload.get("content")) for e in StoredEvent.objects.filter(topic=topic).order_by("seq")]
