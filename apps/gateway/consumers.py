"""One client's socket, from the handshake to the last frame. What it may see and say is decided behind `dispatch`."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from channels.consumer import AsyncConsumer
from django.conf import settings

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_from_bearer
from apps.accounts.refusals import BadFrame, Invalid, Refusal, Unauthenticated, Unavailable
from apps.events import dispatch, wire
from apps.events.declare import Topic
from apps.events.threads import in_reader, in_writer
from apps.gateway import hub, metrics, protocol, registry, wheel
from apps.gateway.connection import Connection
from apps.gateway.door import Handshake
from apps.gateway.outlets import AsgiOutlet, Outlet, RawOutlet

logger = logging.getLogger(__name__)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
FirstTopics = Callable[[Actor, Message], list[Topic]]
"""What a URL follows from the start: `(actor, scope) -> topics`, run in a thread. May raise Refusal."""


class ClientGone(Exception):
    """The socket has ended."""


class GatewayConsumer(AsyncConsumer):  # type: ignore[misc]
    """Every WebSocket of Signalbox. A URL only chooses the first subscriptions.

    Channels' own dispatch hops to a thread for each message and listens on the layer for each connection. Here one
    loop reads the socket, and the hub listens once per process.
    """

    def __init__(self, first_topics: FirstTopics | None = None) -> None:
        self._first_topics = first_topics

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        socket = _Socket(scope, receive, send)
        try:
            await socket.accept()
            connection = await socket.authenticate()
        except ClientGone:
            return
        except Refusal as refusal:
            await socket.turn_away(refusal)
            return
        except Exception:
            logger.exception("A socket could not be opened")
            await socket.turn_away(Unavailable("Come back in a moment.", retry_after=1.0), protocol.RESTART)
            return
        if connection is None:
            return
        try:
            await _welcome(connection)
            if self._first_topics is not None:
                await _follow_first(connection, self._first_topics, scope)
            # What only the handshake needed is let go: an idle connection should cost little.
            scope["headers"].clear()
            del socket.scope, socket.handshake
            while True:
                message = await socket.next()
                metrics.frames_received.inc()
                try:
                    await connection.take(message)
                except Refusal as refusal:
                    connection.refuse(refusal)
                await connection.outlet.drain()
        except ClientGone:
            pass
        finally:
            await _farewell(connection)


class _Socket:
    """The ASGI side of one client."""

    def __init__(self, scope: Message, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.handshake = Handshake.of(scope)

    async def accept(self) -> None:
        """Accept first, refuse after: a socket closed before is an HTTP 403, and a browser would only see 1006."""
        message = await self.receive()
        if message["type"] != "websocket.connect":
            raise ClientGone
        await self.send({"type": "websocket.accept"})

    async def next(self) -> str | bytes:
        message = await self.receive()
        if message["type"] == "websocket.disconnect":
            metrics.closes.labels(str(message.get("code", 1006))).inc()
            raise ClientGone
        text: str | None = message.get("text")
        return bytes(message["bytes"]) if text is None else text

    async def authenticate(self) -> Connection | None:
        """By the handshake, or by the first frame within AUTH_SECONDS. None: it was turned away for being late."""
        handshake = self.handshake
        handshake.check_origin()
        actor = await in_writer(handshake.actor) if handshake.ticket else await in_reader(handshake.actor)
        options: Message = {}
        id = None
        if actor is None:
            try:
                async with asyncio.timeout(settings.AUTH_SECONDS):
                    id, actor, options = await self._auth_frame()
            except TimeoutError:
                refusal = Unauthenticated(f"Nobody said who they are within {settings.AUTH_SECONDS:g} s.")
                await self.turn_away(refusal, protocol.AUTH_TIMEOUT)
                return None
        connection = Connection(
            secrets.token_hex(8), actor, self._outlet(), address=handshake.address, client=handshake.client
        )
        connection.set_options(options)
        await registry.enter(connection)
        if id is not None:
            connection.answer(wire.frame("ack", id=id))
        return connection

    async def _auth_frame(self) -> tuple[Any, Actor, Message]:
        """Wait for `auth`; other frames are refused, and wrong credentials end the connection."""
        for _ in range(10):
            message = await self.next()
            id = None
            try:
                if len(message) > settings.LIMITS["frame_bytes"]:
                    raise BadFrame("The first frame is `auth`; this is too large for one.")
                inbound = wire.parse(message, depth=settings.LIMITS["depth"])
                id = protocol.id_of(inbound)
                if not isinstance(inbound, dict) or inbound.get("type") != "auth":
                    raise Unauthenticated("Say who you are first: {type: auth, data: {token: …}}.")
                data = inbound.get("data")
                token = data.get("token") if isinstance(data, dict) else None
                if not isinstance(data, dict) or not isinstance(token, str):
                    raise Invalid("`auth` needs data with a `token`.")
            except Refusal as refusal:
                await self.send({"type": "websocket.send", "text": wire.error(refusal, id).decode()})
                continue
            return id, await in_reader(actor_from_bearer, token), data
        raise BadFrame("Too many frames before `auth`.")

    async def turn_away(self, refusal: Refusal, code: int | None = None) -> None:
        metrics.refusals.labels(refusal.code).inc()
        try:
            await self.send({"type": "websocket.send", "text": wire.error(refusal).decode()})
            code = code or refusal.close_code or 1008
            await self.send({"type": "websocket.close", "code": code, "reason": refusal.message[:100]})
        except Exception as problem:
            logger.debug("A refused client had gone already: %s", problem)

    def _outlet(self) -> Outlet:
        if protocol := self.scope.get("extensions", {}).get("signalbox.frames"):
            protocol.forget_handshake()
            return RawOutlet(protocol, self.send)
        # daphne's send returns at once, however slow the client is.
        return AsgiOutlet(self.send, has_backpressure=not _is_daphne(self.send))


async def _welcome(connection: Connection) -> None:
    metrics.connections.inc()
    metrics.connections_total.inc()
    await hub.current()  # Even a socket that follows nothing is told when its rights have ended.
    await wheel.watch(connection)
    actor = connection.actor
    connection.answer(
        wire.frame(
            "connection_established",
            data={
                "connection_id": connection.id,
                "user": {"id": actor.user.pk, "name": actor.name} if actor.user else None,
                "agent": actor.is_agent,
                "heartbeat_interval": settings.HEARTBEAT_SECONDS,
                "limits": settings.LIMITS,
                "server_time": wire.timestamp(wire.now()),
            },
        )
    )


async def _follow_first(connection: Connection, first_topics: FirstTopics, scope: Message) -> None:
    """The subscriptions that the URL chose."""
    actor = connection.actor
    try:
        for topic in await in_reader(first_topics, actor, scope):
            await connection.follow(topic)
    except Refusal as refusal:
        connection.refuse(refusal)
    except Exception:
        logger.exception("The first topics of %s could not be followed", actor.sender)
        connection.refuse(Unavailable("This topic could not be followed; subscribe to it again.", retry_after=1.0))


async def _farewell(connection: Connection) -> None:
    metrics.connections.dec()
    await connection.end()
    # The server may be cancelling us; what follows has to happen all the same.
    await asyncio.shield(_count_out(connection))


async def _count_out(connection: Connection) -> None:
    await registry.leave(connection)
    # A frame that waited for its turn may be a sign of life, which must not follow the goodbye.
    await connection.settle()
    await in_writer(dispatch.say_goodbye, connection.actor)


def _is_daphne(send: Send) -> bool:
    return "daphne" in getattr(send, "__module__", "") or "daphne" in repr(send)
