"""The agent's own topic as it knows it: each event once, in order, whatever the connection does."""

from dataclasses import dataclass
from enum import Enum


class Arrival(Enum):
    """What an arriving event is to a reader with a cursor."""

    NEXT = "next"
    KNOWN = "known"
    TOO_FAR = "too far"


@dataclass(slots=True)
class Inbox:
    """A cursor on one topic. `is_own`: it has moved with events we saw, rather than being the server's suggestion."""

    topic: str = ""
    epoch: str = ""
    seq: int = 0
    is_own: bool = False

    def aim(self, topic: str, epoch: str, after: int) -> None:
        """Take the server's cursor, unless ours is of the same life of the same topic."""
        if self.is_own and self.topic == topic and (not epoch or not self.epoch or self.epoch == epoch):
            return
        self.topic, self.epoch, self.seq, self.is_own = topic, epoch, after, False

    def accept(self, seq: int) -> Arrival:
        if seq <= self.seq:
            return Arrival.KNOWN
        if seq > self.seq + 1:
            return Arrival.TOO_FAR
        self.seq, self.is_own = seq, True
        return Arrival.NEXT

    def forget(self) -> None:
        """History that we lack is gone: the server's next suggestion counts."""
        self.is_own = False

    def jump(self, epoch: str, head: int) -> None:
        """Go on from the head, since even the server's suggestion is gone."""
        self.epoch, self.seq, self.is_own = epoch, head, True
