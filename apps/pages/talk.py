"""A conversation as a page shows it: where a day begins, and what belongs to the message before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from apps.chat.models import Message

TOGETHER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Said:
    """A message in its place."""

    message: Message
    is_new_day: bool
    goes_on: bool


def placed(messages: Sequence[Message]) -> list[Said]:
    """Oldest first. Days are UTC's; the page's script knows better."""
    said = []
    before: Message | None = None
    for message in messages:
        is_new_day = before is None or before.created_at.date() != message.created_at.date()
        goes_on = (
            before is not None
            and not is_new_day
            and before.author_id == message.author_id
            and message.created_at - before.created_at < TOGETHER
        )
        said.append(Said(message, is_new_day, goes_on))
        before = message
    return said
