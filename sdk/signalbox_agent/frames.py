"""Frames as text, and what can go wrong with them."""

import json
import zlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

Frame = dict[str, Any]

RETRYABLE = frozenset({"too_fast", "unavailable"})


class Disconnected(ConnectionError):
    """The connection ended before the answer came."""


class Refused(Exception):
    """The server said no to a frame: `code`, a sentence, and the seconds after which trying again may help."""

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.retry_after = code, message, retry_after

    @classmethod
    def of(cls, data: object) -> "Refused":
        """What an `error` frame's data says."""
        data = data if isinstance(data, dict) else {}
        wait = data.get("retry_after")
        return cls(
            str(data.get("code", "error")),
            str(data.get("message", "The server gave no reason.")),
            float(wait) if isinstance(wait, int | float) else None,
        )

    @property
    def is_for_now(self) -> bool:
        """Whether the same frame may be accepted a little later."""
        return self.retry_after is not None or self.code in RETRYABLE


class Stopped(Exception):
    """The server does not want this agent any more; reconnecting would not help."""


def encode(frame: Frame) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def size_of(text: str) -> int:
    """Bytes on the wire."""
    return len(text) if text.isascii() else len(text.encode())


def decode(raw: str | bytes) -> Iterator[Frame]:
    """The frames in one WebSocket message: a batch is opened, a binary message inflated."""
    message = json.loads(zlib.decompress(raw, -zlib.MAX_WBITS) if isinstance(raw, bytes) else raw)
    if isinstance(message, dict):
        if message.get("type") == "batch":
            yield from (inner for inner in message.get("messages", ()) if isinstance(inner, dict))
        else:
            yield message


def new_id() -> str:
    return uuid4().hex
