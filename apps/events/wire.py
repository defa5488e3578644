"""Frames as bytes. An event is encoded once; push, replay and polling send the same bytes."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from pydantic import BaseModel

from apps.accounts.nesting import is_deeper
from apps.accounts.refusals import BadFrame, Refusal


def now() -> datetime:
    """The time to the millisecond, which is what the wire carries."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@lru_cache(maxsize=4096)
def timestamp(at: datetime) -> str:
    """`2026-11-20T22:01:02.345Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def data_of(said: BaseModel) -> bytes:
    """The `data` of an event or whisper."""
    return orjson.dumps(said.model_dump(mode="json"))


def event(type: str, topic: str, seq: int, at: datetime, data: bytes) -> bytes:
    """One stored event. Type and topic come from declarations, so they need no escaping."""
    return b'{"type":"%b","topic":"%b","seq":%d,"timestamp":"%b","data":%b}' % (
        type.encode(),
        topic.encode(),
        seq,
        timestamp(at).encode(),
        data,
    )


def whisper(type: str, topic: str, at: datetime, data: bytes) -> bytes:
    """The same envelope without a seq."""
    return b'{"type":"%b","topic":"%b","timestamp":"%b","data":%b}' % (
        type.encode(),
        topic.encode(),
        timestamp(at).encode(),
        data,
    )


def batch(messages: Sequence[bytes]) -> bytes:
    """Several frames as one; a single one stays as it is."""
    if len(messages) == 1:
        return messages[0]
    return b'{"type":"batch","messages":[%b]}' % b",".join(messages)


def page(
    topic: str,
    epoch: str,
    head: int,
    floor: int,
    reset: bool,
    events: Iterable[bytes],
    scanned_to: int | None = None,
    places: Sequence[tuple[int, int]] | None = None,
) -> bytes:
    """The body of `GET /api/v1/events/`; `places` stand in place of events."""
    return b'{"topic":"%b","epoch":"%b","head":%d,"floor":%d,"reset":%b,%b%b}' % (
        topic.encode(),
        epoch.encode(),
        head,
        floor,
        b"true" if reset else b"false",
        b"" if scanned_to is None else b'"scanned_to":%d,' % scanned_to,
        b'"events":[%b]' % b",".join(events) if places is None else b'"places":%b' % dumps(places),
    )


def frame(type: str, *, id: str | None = None, topic: str | None = None, data: Any = None) -> bytes:
    """A control frame or an answer; `id` and `topic` are left out when there are none."""
    message: dict[str, Any] = {"type": type}
    if id is not None:
        message["id"] = id
    if topic is not None:
        message["topic"] = topic
    message["data"] = {} if data is None else data
    return dumps(message)


def dumps(value: Any) -> bytes:
    return orjson.dumps(value)


def error(refusal: Refusal, id: str | None = None) -> bytes:
    return frame("error", id=id, data=refusal.as_data())


def loads(text: str | bytes) -> Any:
    """JSON that we wrote ourselves."""
    return orjson.loads(text)


def parse(text: str | bytes, *, depth: int) -> Any:
    """JSON from outside. Raises BadFrame for what is not JSON, NaN, infinity, or nested deeper than `depth`."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        raise BadFrame(f"This is not JSON: {problem.msg}.") from None
    if is_deeper(value, text, depth):
        raise BadFrame(f"JSON may be nested {depth} levels deep, not more.")
    return value
