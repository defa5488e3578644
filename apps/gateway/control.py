"""The frames of the connection itself, by their type; what features say is in their contracts.

The gateway takes them apart by hand, since they come with every message. These shapes are what the generated documents
say of them, and what the tests hold every frame of a live server to.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, RootModel


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Nothing(_Data):
    """No data."""


class Credentials(_Data):
    """`token`: an access token or an API key; the first frame needs it."""

    token: str = ""
    compress: bool = False


class NewToken(_Data):
    """`token`: of the same sender."""

    token: str


class From(_Data):
    """A cursor; without `after` only what is new. `presence`: be counted, and told, among those who follow."""

    after: int | None = Field(default=None, ge=0)
    epoch: str | None = None
    presence: bool = False


class Shown(_Data):
    """`on`: whether one wants to be told, and counted."""

    on: bool = True


class Seqs(RootModel[dict[str, int]]):
    """The last seq of each topic."""


class Somebody(_Data):
    """A person, as others see them."""

    id: int
    name: str


class Hello(_Data):
    """`user`: null for an agent. Seconds; `limits` as in docs/settings.md."""

    connection_id: str
    user: Somebody | None
    agent: bool
    heartbeat_interval: float
    limits: dict[str, float]
    server_time: str


class Happened(_Data):
    """The event that a frame became; nothing, if it became none."""

    topic: str | None = None
    seq: int | None = None
    data: dict[str, Any] | None = None


class Refused(_Data):
    """`retry_after`: seconds."""

    code: str
    message: str
    retry_after: float | None = None


class Following(_Data):
    """`recovered`: what follows the cursor is coming."""

    topic: str
    epoch: str
    head: int
    recovered: bool


class Replaced(_Data):
    """`floor`: the last seq that was pruned."""

    topic: str
    epoch: str
    head: int
    floor: int


class Onlookers(_Data):
    """`users`: some of them; `count`: all."""

    users: list[Somebody]
    count: int


class Time(_Data):
    """Unix milliseconds."""

    time: int


class Left(_Data):
    """Seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Control:
    """One frame: what it is for, and its `data`; None: it has none."""

    about: str
    data: type[BaseModel] | None
    has_topic: bool = False


FROM_CLIENT = {
    "auth": Control("Says who one is, as the first frame. Later a token is taken as by `token_refresh`.", Credentials),
    "token_refresh": Control("New credentials of the same sender for this connection.", NewToken),
    "subscribe": Control("Follow a topic, after a cursor if there is one.", From, has_topic=True),
    "unsubscribe": Control("Follow it no longer.", Nothing, has_topic=True),
    "presence": Control("Asks to be told who else follows a topic; or no more.", Shown, has_topic=True),
    "received": Control("What has arrived: gives the server credit to send more. Not answered.", Seqs),
    "heads": Control("Asks what was last sent on each followed topic.", Nothing),
    "ping": Control("Asks for a `pong`; its `id` comes back.", Nothing),
}
FROM_SERVER = {
    "connection_established": Control("The first frame once it is known who this is.", Hello),
    "ack": Control("The frame with this `id` was carried out.", Happened),
    "error": Control("A frame was refused; without `id` it concerns the connection.", Refused),
    "batch": Control("Several frames at once, in order: `{messages: […]}`.", None),
    "subscribed": Control("The topic is followed.", Following, has_topic=True),
    "unsubscribed": Control("The server ended a subscription.", Refused, has_topic=True),
    "reset": Control("The cursor is of a history that is gone. Load the state again.", Replaced, has_topic=True),
    "heads": Control("The seq last sent on each followed topic.", Seqs),
    "presence": Control("Who follows the topic now, for those who asked. No seq.", Onlookers, has_topic=True),
    "pong": Control("The answer to `ping`.", Time),
    "token_expiring": Control("The token ends; send `token_refresh`.", Left),
}
