"""Declared once: the topics, events, whispers and command frames of every feature.

A feature's `contract.py` subclasses the four classes below. Each subclass registers itself, and from the registry come
validation, the REST bodies, `docs/asyncapi.json` and `static/js/realtime/contract.js`.
"""

import re
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property, lru_cache
from string import Formatter
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from apps.accounts.actors import Actor
from apps.accounts.refusals import Invalid, NotFound
from apps.accounts.roles import Role

topics: dict[str, type["Topic"]] = {}
events: dict[str, type["Event"]] = {}
whispers: dict[str, type["Whisper"]] = {}
frames: dict[str, type["CommandFrame"]] = {}

_TYPE = re.compile(r"[a-z_]+(:[a-z_]+)?")
_PATTERN = re.compile(r"[a-z]+(\.\{[a-z_]+\})?")
_NAME = re.compile(r"[a-z]+(\.[A-Za-z0-9_-]{1,64})?")
_RATE = re.compile(r"([1-9][0-9]*)/([smh])")


class DeclarationError(TypeError):
    """A contract that contradicts itself or another one; raised when it is imported."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How much history a kind of topic keeps; `None` keeps all. `prune_events` does it."""

    days: int | None = None
    events: int | None = None


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Topic(_Declared):
    """One ordered story. Its name is its pattern filled in: `str(RunTopic(run_id=…)) == "run.…"`."""

    kind: ClassVar[str]
    pattern: ClassVar[str]
    retention: ClassVar[Retention]

    def __init_subclass__(cls, *, pattern: str, retention: Retention = Retention(), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.pattern, cls.retention = pattern, retention
        cls.kind = pattern.partition(".")[0]
        _register(topics, cls.kind, cls)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Its fields are known only now."""
        if not _PATTERN.fullmatch(cls.pattern) or fields_of(cls.pattern) != list(cls.model_fields):
            raise DeclarationError(f"{cls.__name__}: {cls.pattern!r} is not `kind` or `kind.{{its only field}}`")

    @cached_property
    def name(self) -> str:
        """Its pattern filled in; a frame asks for it several times."""
        return self.pattern.format_map(self.__dict__)

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def parse(name: object) -> "Topic":
        """The topic of this name. Raises NotFound, the answer that a stranger gets too."""
        try:
            return _parsed(name)
        except (LookupError, TypeError, ValidationError):
            raise NotFound(f"There is no topic {str(name)[:90]}.") from None

    @abstractmethod
    def role_of(self, actor: Actor) -> Role | None:
        """What `actor` may do here, or None for a stranger. Each kind of topic answers for itself."""

    def can_read(self, actor: Actor) -> bool:
        return self.role_of(actor) is not None


class _OfTopic(_Declared):
    """What is said on a topic. What is declared of the class is in capitals, so that no field of `data` can hide it."""

    TYPE: ClassVar[str]
    TOPIC: ClassVar[type[Topic] | None]

    @classmethod
    def _declare(cls, registry: dict[str, Any], name: str, topic: type[Topic] | None) -> None:
        if not _TYPE.fullmatch(name):
            raise DeclarationError(f"{cls.__name__}: {name!r} is not a type like `message` or `agent:status`")
        cls.TYPE, cls.TOPIC = name, topic
        _register(registry, name, cls)


class Event(_OfTopic):
    """A stored fact, named in the past tense. Its fields are the frame's `data`.

    `stream` names the field whose value says what prints: then `text` goes on where this one's last event ended, cut
    anywhere, from `offset` 0 on; without an offset it consists of whole lines.
    """

    STREAM: ClassVar[str | None]

    def __init_subclass__(cls, *, type: str, topic: type[Topic], stream: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._declare(events, type, topic)
        cls.STREAM = stream

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Its fields are known only now."""
        if cls.STREAM and not {cls.STREAM, "offset", "text"} <= cls.model_fields.keys():
            raise DeclarationError(f"{cls.__name__}: a stream has the fields {cls.STREAM}, offset and text")


class Whisper(_OfTopic):
    """Something said to whoever listens now, and never stored: typing, presence."""

    def __init_subclass__(cls, *, type: str, topic: type[Topic], **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._declare(whispers, type, topic)


class CommandFrame(_OfTopic):
    """A wish sent by a client, named in the imperative. It is refused or it becomes events.

    `role` is the least role on its topic; `rate` the most of them ("10/s", "30/m") per connection, over HTTP per
    sender; `grouped` frames share one transaction with what arrived beside them; `audit` writes each into the audit
    log.
    """

    ROLE: ClassVar[Role]
    RATE: ClassVar[float | None]
    GROUPED: ClassVar[bool]
    AUDIT: ClassVar[bool]

    def __init_subclass__(
        cls,
        *,
        type: str,
        topic: type[Topic] | None,
        role: Role = Role.OPERATOR,
        rate: str | None = None,
        grouped: bool = False,
        audit: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls._declare(frames, type, topic)
        cls.ROLE, cls.GROUPED = role, grouped
        cls.RATE = _per_second(rate) if rate else None
        cls.AUDIT = (not grouped) if audit is None else audit

    @classmethod
    def of(cls, data: object) -> Self:
        """This frame from a client's `data`. Raises Invalid, naming the first field that is wrong."""
        try:
            return cls.model_validate(data if data is not None else {})
        except ValidationError as error:
            raise Invalid(_sentence(error)) from None


def without_nul(text: str) -> str:
    """For a field's AfterValidator: PostgreSQL keeps no NUL, and no argument of a program has one."""
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


@lru_cache(maxsize=10_000)
def _parsed(name: object) -> Topic:
    """Topics are frozen, so one that is spoken of again and again is made once; what raises is not remembered."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise LookupError(name)
    kind, _, key = name.partition(".")
    topic_class = topics[kind]
    topic = topic_class.model_validate(dict.fromkeys(topic_class.model_fields, key))
    if str(topic) != name:
        raise LookupError(name)
    return topic


def _register(registry: dict[str, Any], name: str, declared: type) -> None:
    _parsed.cache_clear()
    other = registry.setdefault(name, declared)
    if other is not declared and (other.__module__, other.__name__) != (declared.__module__, declared.__name__):
        raise DeclarationError(f"{declared.__qualname__} and {other.__qualname__} are both called {name!r}")


def _per_second(rate: str) -> float:
    if (given := _RATE.fullmatch(rate)) is None:
        raise DeclarationError(f"{rate!r} is not a rate like 10/s, 30/m or 5/h")
    return int(given[1]) / {"s": 1, "m": 60, "h": 3600}[given[2]]


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "data"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}."


def fields_of(pattern: str) -> list[str]:
    """The names between braces in a topic's pattern."""
    return [name for _, name, _, _ in Formatter().parse(pattern) if name]
