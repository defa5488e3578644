"""Who follows a topic now: said to those who asked for it with `subscribe`'s `presence`, and never stored.

Each process knows its own sockets, and tells the others on the topic's group who they belong to. What a process has
told holds for a few seconds, so one that crashed is soon forgotten. Nothing here touches the database.
"""

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from apps.accounts.actors import Actor
from apps.events import log, wire
from apps.gateway import hub
from apps.gateway.background import spawn
from apps.gateway.frames import Frame
from apps.gateway.outlets import Outlet
from apps.gateway.registry import process_id

NAMES_SHOWN = 20
NAMES_TOLD = 100
"""How many people one process names to the others; the rest it only counts."""
SAY_EVERY_SECONDS = 1.0
LEAVE_AFTER_SECONDS = 1.5
"""Who reloads a page has not left."""
TELL_EVERY_SECONDS = 3.0
HOLDS_SECONDS = 8.0

People = dict[int, str]


class Present(Protocol):
    """A socket whose owner is there."""

    actor: Actor

    @property
    def outlet(self) -> Outlet: ...


@dataclass(slots=True)
class Told:
    """What another process said."""

    until: float
    people: People
    more: int


@dataclass(slots=True)
class Room:
    """One topic of this process, while somebody here wants to know who follows it."""

    topic: str
    here: set[Present] = field(default_factory=set)
    late: set[Present] = field(default_factory=set)
    """Those that had no room for what was said, and hear it when they have."""
    elsewhere: dict[str, Told] = field(default_factory=dict)
    said: dict[str, Any] | None = None
    said_at: float = 0.0
    told: People = field(default_factory=dict)
    tells: bool = True
    """Whether the other processes have to hear of us at the next opportunity."""
    timer: asyncio.TimerHandle | None = None
    due: float = 0.0

    def people_here(self) -> People:
        """A person with many sockets counts once; agents and programs are not people."""
        users = (connection.actor for connection in self.here)
        return {actor.user.pk: actor.name for actor in users if actor.user is not None}

    def data(self) -> dict[str, Any]:
        """What is said: at most NAMES_SHOWN names in order, and how many there are."""
        people = self.people_here()
        more = 0
        for told in self.elsewhere.values():
            people = told.people | people
            more += told.more
        named = sorted(people.items(), key=lambda person: (person[1].casefold(), person[0]))[:NAMES_SHOWN]
        return {"users": [{"id": id, "name": name} for id, name in named], "count": len(people) + more}

    def frame(self) -> Frame:
        return Frame(wire.whisper("presence", self.topic, wire.now(), wire.dumps(self.said)))


_rooms: dict[str, Room] = {}
_beating: asyncio.Task[None] | None = None


def join(connection: Present, topic: str) -> None:
    """This socket follows `topic` and wants to know who else does."""
    global _beating
    if _beating is not None and _beating.get_loop().is_closed():
        _rooms.clear()
        _beating = None
    room = _rooms.get(topic)
    if room is None:
        room = _rooms[topic] = Room(topic)
    room.here.add(connection)
    if room.said is not None:
        connection.outlet.write(room.frame())
    _plan(room, 0)
    if _beating is None or _beating.done():
        _beating = spawn(_beat(), "presence")


def leave(connection: Present, topic: str) -> None:
    """It does not any more; for one that never asked nothing happens."""
    room = _rooms.get(topic)
    if room is not None and connection in room.here:
        room.here.discard(connection)
        _plan(room, LEAVE_AFTER_SECONDS)


@hub.on_notice
def hear(notice: dict[str, Any]) -> None:
    """Another process says who is there."""
    told = notice.get("presence")
    if told is None or told["process"] == process_id:
        return
    room = _rooms.get(told["topic"])
    if room is None:
        return
    if told["process"] not in room.elsewhere:
        room.tells = True  # It may not know of us either.
    if told["people"]:
        people = {int(id): name for id, name in told["people"]}
        room.elsewhere[told["process"]] = Told(time.monotonic() + HOLDS_SECONDS, people, told["more"])
    else:
        room.elsewhere.pop(told["process"], None)
    _plan(room, 0)


def _plan(room: Room, wait: float) -> None:
    """Say it after `wait` seconds, and at most once in SAY_EVERY_SECONDS."""
    loop = asyncio.get_running_loop()
    at = max(loop.time() + wait, room.said_at + SAY_EVERY_SECONDS)
    if room.timer is not None:
        if room.due <= at:
            return
        room.timer.cancel()
    room.timer, room.due = loop.call_at(at, _say, room), at  # uvloop's handle does not tell when


def _say(room: Room) -> None:
    room.timer = None
    room.said_at = asyncio.get_running_loop().time()
    people = room.people_here()
    if room.tells or people != room.told:
        _tell(room, people)
    data = room.data()
    if data != room.said:
        room.said = data
        frame = room.frame()
        for connection in room.here - room.late:
            _say_to(connection, room, frame)
    if not room.here and _rooms.get(room.topic) is room:
        del _rooms[room.topic]


def _say_to(connection: Present, room: Room, frame: Frame) -> None:
    if connection.outlet.is_full:
        room.late.add(connection)
        connection.outlet.wake_when_writable(partial(_say_late, connection, room))
    else:
        connection.outlet.write(frame)


def _say_late(connection: Present, room: Room) -> None:
    room.late.discard(connection)
    if connection in room.here:
        _say_to(connection, room, room.frame())


def _tell(room: Room, people: People) -> None:
    """Tell the other processes. Nobody is told too: then they need not wait until our word has run out."""
    room.told, room.tells = people, False
    named = list(people.items())[:NAMES_TOLD]
    told = {"topic": room.topic, "process": process_id, "people": named, "more": len(people) - len(named)}
    log.notify({"presence": told}, topic=room.topic)


async def _beat() -> None:
    """Renew what was told, and forget what was not renewed, for as long as there is anybody."""
    while _rooms:
        await asyncio.sleep(TELL_EVERY_SECONDS)
        now = time.monotonic()
        for room in list(_rooms.values()):
            gone = [process for process, told in room.elsewhere.items() if told.until <= now]
            for process in gone:
                del room.elsewhere[process]
            room.tells = room.tells or bool(room.told)
            _plan(room, 0)
