"""Where a page goes on from: the cursor of each topic that it follows, read before its state."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.events import store
from apps.events.declare import Topic


@dataclass(frozen=True, slots=True)
class Feed:
    """A topic and the last event that the state on the page contains."""

    topic: str
    epoch: str
    seq: int

    @classmethod
    def of(cls, topic: Topic) -> Self:
        [feed] = cls.of_each([topic])
        return feed

    @classmethod
    def of_each(cls, topics: Iterable[Topic]) -> list[Self]:
        names = [str(topic) for topic in topics]
        known = store.positions(names)
        places = [known.get(name, store.Position(name)) for name in names]
        return [cls(at.topic, at.epoch, at.seq) for at in places]

    @property
    def attributes(self) -> SafeString:
        """For an element whose script follows the topic."""
        return format_html('data-topic="{}" data-epoch="{}" data-seq="{}"', self.topic, self.epoch, self.seq)
