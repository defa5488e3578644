"""The consumer as tutorials write it."""

from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer


class RoomConsumer(AsyncJsonWebsocketConsumer):
    """Joins the group of its room and relays whatever a member sends to all members."""

    async def connect(self) -> None:
        self.group = f"room_{self.scope['url_route']['kwargs']['room']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        await self.channel_layer.group_send(self.group, {"type": "room.event", "event": content})

    async def room_event(self, message: dict[str, Any]) -> None:
        await self.send_json(message["event"])
