"""The channel layer of an installation that is one process."""

from typing import Any

from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer


class OneProcessLayer(InMemoryChannelLayer):
    """Channels' own, for a hub that always listens: nothing has to expire, and a send needs no task of its own.

    Channels' looks through all groups before each send, and there is a group for every topic that somebody follows.
    """

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        for channel in list(self.groups.get(group, ())):
            try:
                await self.send(channel, message)
            except ChannelFull:
                continue  # The hub finds out by itself what it has not heard.

    def _clean_expired(self) -> None:
        pass
