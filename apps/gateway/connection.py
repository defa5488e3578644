"""One authenticated socket: what it follows, what it may still send, and the order of its answers."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings

from apps.accounts.actors import Actor
from apps.accounts.authentication import actor_from_bearer, renewed
from apps.accounts.refusals import (
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    Revoked,
    TooFast,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from apps.events import dispatch, wire
from apps.events.declare import Topic
from apps.events.models import StoredEvent
from apps.events.threads import in_reader
from apps.gateway import hub, metrics, presence
from apps.gateway.background import spawn
from apps.gateway.calls import Calls
from apps.gateway.frames import Frame
from apps.gateway.limits import Allowance
from apps.gateway.outlets import Outlet
from apps.gateway.protocol import COULD_NOT, id_of
from apps.gateway.reader import Reader

logger = logging.getLogger(__name__)


class Connection:
    """Everything that happens to one client between `connection_established` and the close."""

    __slots__ = (
        "_answers", "_calls", "_closing", "_depth", "_limit", "actor", "address", "allowance", "client", "id", "outlet",
        "readers", "warned",
    )  # fmt: skip

    def __init__(self, id: str, actor: Actor, outlet: Outlet, *, address: str, client: str) -> None:
        self.id = id
        self.actor = replace(actor, connection=id)
        self.outlet = outlet
        self.address = address
        self.client = client
        self.readers: dict[str, Reader] = {}
        limits = settings.LIMITS
        self.allowance = Allowance(limits["agent_frames_per_second" if actor.is_agent else "frames_per_second"])
        self._limit = limits["agent_frame_bytes" if actor.is_agent else "frame_bytes"]
        self._depth = limits["depth"]
        self.warned = False
        self._answers: list[bytes] | None = None
        self._calls: Calls | None = None
        self._closing = False

    # What the client sends

    async def take(self, message: str | bytes) -> None:
        """Carry out one message. Raises Refusal for what is no frame; a frame that is refused is answered by its id."""
        if self._closing:
            return  # Who is being shut out does nothing more.
        self.allowance.spend()
        if (size := _size(message)) > self._limit:
            raise TooLarge(f"A frame may have {self._limit} bytes, not {size}.")
        inbound = wire.parse(message, depth=self._depth)
        id = id_of(inbound)
        try:
            await self._act(inbound, id)
        except Refusal as refusal:
            self.refuse(refusal, id)
        except Exception:
            logger.exception("A frame of %s failed", self.actor.sender)
            self.refuse(Unavailable(COULD_NOT), id)

    async def _act(self, inbound: Any, id: Any) -> None:
        type = inbound.get("type") if isinstance(inbound, dict) else None
        match type:
            case "ping":
                self.answer(wire.frame("pong", id=id, data={"time": int(time.time() * 1000)}))
            case "received":
                self._credit(_data(inbound))
            case "subscribe":
                await self._subscribe(inbound, id)
            case "unsubscribe":
                self.unfollow(str(inbound.get("topic")))
                self.answer(wire.frame("ack", id=id))
            case "heads":
                heads = {topic: reader.position for topic, reader in self.readers.items()}
                self.answer(wire.frame("heads", id=id, data=heads))
            case "presence":
                self._presence(inbound, id)
            case "auth":
                data = _data(inbound)
                if "token" in data:
                    await self._renew(data["token"])
                self.set_options(data)
                self.answer(wire.frame("ack", id=id))
            case "token_refresh":
                await self._renew(_data(inbound).get("token"))
                self.answer(wire.frame("ack", id=id))
            case _:
                self._call(inbound, id)

    def set_options(self, data: dict[str, Any]) -> None:
        """Options of an `auth` frame. Compression is ours to do once for all, so the client asks for it here."""
        if "compress" in data:
            self.outlet.compress = bool(data["compress"])

    async def _renew(self, token: Any) -> None:
        """New credentials of the same person, without a new connection."""
        if not isinstance(token, str):
            raise Invalid("`token` is a new access token, as text.")
        actor = await in_reader(actor_from_bearer, token)
        if actor.sender != self.actor.sender:
            raise Forbidden("This token is somebody else's.")
        self._become(actor)
        self.warned = False
        await self.check_rights()  # Whoever looked at them meanwhile saw the old credentials.

    def _become(self, actor: Actor) -> None:
        """Speak as this actor from now on, also with the frames that wait for their turn."""
        self.actor = replace(actor, connection=self.id)
        if self._calls:
            self._calls.become(self.actor)

    def _credit(self, seqs: dict[str, Any]) -> None:
        for topic, seq in seqs.items():
            reader = self.readers.get(topic)
            if reader is not None and isinstance(seq, int):
                reader.received(seq)

    # Topics

    async def _subscribe(self, inbound: dict[str, Any], id: Any) -> None:
        data = _data(inbound)
        after, epoch = data.get("after"), data.get("epoch")
        if after is not None and (not isinstance(after, int) or isinstance(after, bool) or after < 0):
            raise Invalid("`after` is the seq of the last event you have: 0 or more.")
        if epoch is not None and not isinstance(epoch, str):
            raise Invalid("`epoch` is the string that came with your cursor.")
        name = inbound.get("topic") or data.get("topic")
        await self.follow(Topic.parse(name), id=id, after=after, epoch=epoch)
        if data.get("presence"):
            presence.join(self, str(name))

    def _presence(self, inbound: dict[str, Any], id: Any) -> None:
        """Ask who else follows a topic that this socket follows; `{on: false}` ends it."""
        name = str(inbound.get("topic"))
        if name not in self.readers:
            raise NotFound(f"You do not follow {name[:90]}.")
        (presence.join if _data(inbound).get("on", True) else presence.leave)(self, name)
        self.answer(wire.frame("ack", id=id))

    async def follow(self, topic: Topic, *, id: Any = None, after: int | None = None, epoch: str | None = None) -> None:
        """Send what happens on `topic` from now on. Raises NotFound for a stranger."""
        name = str(topic)
        most = settings.LIMITS["topics"]
        if name not in self.readers and len(self.readers) >= most:
            raise TooFast(f"You follow {most} topics already; unsubscribe from one.")
        if not await in_reader(topic.can_read, self.actor):
            raise NotFound(f"There is no topic {name}.")
        self.unfollow(name)
        reader, at, recovered = await (await hub.current()).follow(name, self.outlet, after=after, epoch=epoch)
        self.readers[name] = reader
        # Whoever looked at this client's rights meanwhile did not see that it follows this.
        if not await in_reader(topic.can_read, self.actor):
            self.unfollow(name)
        if self.readers.get(name) is not reader:  # Or it was seen, and the right is back already.
            raise NotFound(f"There is no topic {name}.")
        where = {"topic": name, "epoch": at.epoch, "head": at.seq}
        if not recovered:
            self.answer(wire.frame("reset", topic=name, data=where | {"floor": at.floor}))
        self.answer(wire.frame("subscribed", id=id, topic=name, data=where | {"recovered": recovered}))
        self._flush_answers()
        reader.join()

    def unfollow(self, name: str) -> None:
        if reader := self.readers.pop(name, None):
            presence.leave(self, name)
            reader.stop()
            running = hub.running()
            if running is not None:
                running.leave(name)

    # Command frames

    def _call(self, inbound: Any, id: Any) -> None:
        """Start a command frame; it is answered when it is on disk."""
        call = dispatch.understand(self.actor, inbound)
        self.allowance.spend_on(call.frame.TYPE, call.frame.RATE)
        if self._calls is None:
            self._calls = Calls(self._answer_call)
        self._calls.add(call, id)

    def _answer_call(self, call: dispatch.Call, id: Any, done: "asyncio.Future[StoredEvent | None]") -> None:
        match done.exception():
            case None:
                told = dispatch.ack(done.result(), brief=call.frame.GROUPED)
                self.answer(wire.frame("ack", id=id, data=told))
            case Refusal() as refusal:
                self.refuse(refusal, id)
            case problem:
                logger.error("%s of %s failed", call.frame.TYPE, self.actor.sender, exc_info=problem)
                self.refuse(Unavailable(COULD_NOT), id)

    # Answers

    def answer(self, frame: bytes) -> None:
        """Send an answer. An agent's of the same moment go as one batch: it gets hundreds."""
        if self._closing:
            return
        if self._answers is None:
            self._answers = []
            asyncio.get_running_loop().call_soon(self._flush_answers)
        self._answers.append(frame)

    def refuse(self, refusal: Refusal, id: Any = None) -> None:
        """Send an `error` frame, and close when there were too many of its kind."""
        metrics.refusals.labels(refusal.code).inc()
        self.answer(wire.error(refusal, id))
        if self.allowance.strike(refusal):
            self.close(refusal)

    def _flush_answers(self) -> None:
        answers, self._answers = self._answers, None
        if not answers:
            return
        for frame in [wire.batch(answers)] if self.actor.is_agent else answers:
            self.outlet.write(Frame(frame))

    def close(self, refusal: Refusal, code: int | None = None) -> None:
        """Say why in a last `error` frame (some servers drop the reason of a close) and hang up, with its own code."""
        if self._closing:
            return
        self.answer(wire.error(refusal))
        self._closing = True
        if self._calls and isinstance(refusal, Revoked | Unauthenticated):
            self._calls.drop()  # What waits was sent by somebody whose access has ended.
        spawn(self._hang_up(refusal, code or refusal.close_code or 1008), f"close {self.id}")

    async def _hang_up(self, refusal: Refusal, code: int) -> None:
        self._flush_answers()
        try:
            await self.outlet.close(code, refusal.message[:100])
        except Exception as problem:
            logger.debug("Connection %s was gone already: %s", self.id, problem)

    # Rights

    def close_if_expired(self) -> bool:
        """Close when its token has ended: with another one the client may come back."""
        if self.actor.expires_at is None or self.actor.expires_at > time.time():
            return False
        self.close(Unauthenticated("Your token has expired; refresh it and come back."))
        return True

    async def check_rights(self) -> None:
        """Close or unfollow what this client may no longer have, and know it by its rights of now."""
        if self.close_if_expired():
            return
        before, followed = self.actor, dict(self.readers)
        actor, lost = await in_reader(_rights_of_now, before, list(followed))
        if self.actor is not before:
            return await self.check_rights()  # It has brought other credentials meanwhile.
        if actor is None:
            if not self.close_if_expired():  # It may have ended while it was looked at.
                self.close(Revoked())
            return
        self._become(actor)
        for name in lost:
            if self.readers.get(name) is not followed[name]:
                continue  # It was followed anew meanwhile, and that has looked for itself.
            self.unfollow(name)
            refusal = Forbidden(f"You may no longer read {name}.")
            self.answer(wire.frame("unsubscribed", topic=name, data=refusal.as_data()))

    async def end(self) -> None:
        """The socket is gone: leave everything."""
        self._closing = True
        for name in list(self.readers):
            self.unfollow(name)

    async def settle(self) -> None:
        """Wait until all that the client sent has been carried out."""
        if self._calls is not None:
            await self._calls.settle()


def _rights_of_now(actor: Actor, names: Sequence[str]) -> tuple[Actor | None, Sequence[str]]:
    """The actor as it would come in now, None if it could not, and which of these topics it may no longer read."""
    now = renewed(actor)
    return now, [] if now is None else [name for name in names if not Topic.parse(name).can_read(now)]


def _size(message: str | bytes) -> int:
    """Bytes on the wire."""
    return len(message) if isinstance(message, bytes) or message.isascii() else len(message.encode())


def _data(inbound: dict[str, Any]) -> dict[str, Any]:
    data = inbound.get("data")
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise Invalid("`data` is a JSON object.")
    return data
