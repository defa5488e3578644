"""One socket to the server that outlives its connections.

After each connection: `agent:connect` first, then every frame that has no answer yet, in its old order, then the inbox
from where we left off. So nothing that was posted is lost, and nothing that was sent to us is missed or seen twice.
"""

import asyncio
import logging
import random
import time
import zlib
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from signalbox_agent.backoff import Backoff
from signalbox_agent.frames import Disconnected, Frame, Refused, Stopped, new_id
from signalbox_agent.inbox import Arrival, Inbox
from signalbox_agent.link import Link, open_link
from signalbox_agent.outbox import Outbox

logger = logging.getLogger("signalbox_agent")

STOP_CODES = {
    4401: "The server does not accept this API key (any more).",
    4403: "The server does not allow this agent to connect.",
    4426: "This version of signalbox-agent is too old for the server.",
    4440: "The server has revoked this API key.",
}
STOP_REFUSALS = {"unauthenticated", "forbidden", "revoked", "out_of_date", "invalid", "bad_frame"}
RESTARTING, TOO_FAST, TOO_MANY = 1012, 4429, 4409
GREETING_SECONDS = 10.0
DEFAULT_FRAME_BYTES = 1024 * 1024


def socket_url(url: str) -> str:
    """`http://host:8000` as the address of its socket, `ws://host:8000/ws/`. Raises ValueError."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}[parts.scheme]
        if not parts.hostname or parts.port == 0:  # Asked for a port that is none, it raises ValueError by itself.
            raise ValueError(url)
    except (KeyError, ValueError):
        example = "http://127.0.0.1:8000 or wss://example.org/ws/"
        raise ValueError(f"{url!r} is not an address like {example}") from None
    return urlunsplit((scheme, parts.netloc, parts.path if parts.path.strip("/") else "/ws/", parts.query, ""))


class AgentClient:
    """An agent's connection to the server, for as long as the process lives.

    `introduce` gives the data of `agent:connect`, freshly for each connection. `on_event(type, data)` gets each event
    of the inbox once and in order; it must not block. `on_connected(data)` gets the answer to the introduction.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        introduce: Callable[[], Frame],
        on_event: Callable[[str, Frame], None] = lambda type, data: None,
        on_connected: Callable[[Frame], None] = lambda data: None,
        backoff: Backoff | None = None,
        quiet_seconds: float = 8.0,
        silent_seconds: float = 20.0,
    ) -> None:
        self.url = socket_url(url)
        self._key = key
        self._introduce, self._on_event, self._on_connected = introduce, on_event, on_connected
        self._backoff = backoff or Backoff()
        self._quiet, self._silent = quiet_seconds, silent_seconds
        self._link: Link | None = None
        self._outbox = Outbox()
        self._inbox = Inbox()
        self._resubscribing: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self.connected = asyncio.Event()
        self.gone_since: float | None = time.monotonic()
        self.welcome: Frame = {}
        self.limits: Frame = {}

    @property
    def agent_id(self) -> str:
        return str(self.welcome["agent_id"])

    @property
    def topic(self) -> str:
        """The inbox, known once connected."""
        return str(self.welcome["topic"])

    @property
    def terminal(self) -> str:
        """The topic for raw output, known once connected."""
        return str(self.welcome["terminal"])

    @property
    def frame_bytes(self) -> int:
        """The largest frame that the server takes."""
        limit = self.limits.get("agent_frame_bytes")
        return limit if isinstance(limit, int) and limit > 0 else DEFAULT_FRAME_BYTES

    @property
    def unanswered(self) -> int:
        """How many posted frames the server has not acknowledged."""
        return len(self._outbox)

    async def run(self) -> None:
        """Connect, and connect again, until `stop`. Raises Stopped when the server does not want us."""
        while not self._stopping.is_set():
            wait = await self._live_once()
            if not self._stopping.is_set():
                logger.info("The next attempt to reach %s is in %.1f s", self.url, wait)
                await _first_of(self._stopping.wait(), asyncio.sleep(wait))

    async def stop(self) -> None:
        """Close the connection; `run` returns."""
        self._stopping.set()
        if self._link:
            await self._link.close()

    def reconnect(self) -> None:
        """Drop the connection and come back with a new introduction."""
        if self._link:
            self._link.abort()

    async def post(
        self, type: str, data: Frame, *, topic: str | None = None, id: str | None = None
    ) -> "asyncio.Future[Frame]":
        """Keep and send a frame until it is answered; the future is its ack's data, or raises Refused.

        Frames go out in the order in which they are posted. Waits while more than 8 MiB are unanswered.
        """
        frame: Frame = {"type": type, "id": id or new_id(), "data": data}
        if topic is not None:
            frame["topic"] = topic
        return await self._outbox.post(frame)

    async def deliver(self, type: str, data: Frame, *, topic: str | None = None, id: str | None = None) -> Frame:
        """`post`, and wait for the ack, however many connections that takes. Raises Refused."""
        return await (await self.post(type, data, topic=topic, id=id))

    async def request(self, type: str, data: Frame, *, topic: str | None = None) -> Frame:
        """Ask on the present connection only; the ack's data. Raises Refused, Disconnected."""
        if self._link is None or not self.connected.is_set():
            raise Disconnected("There is no connection to the server.")
        return _data_of(await self._link.request(type, data, topic=topic))

    # One connection -------------------------------------------------------------------------------

    async def _live_once(self) -> float:
        """One connection from opening to end; the seconds to wait before the next."""
        link: Link | None = None
        try:
            link = self._link = await open_link(self.url, self._key)
            await self._live(link)
        except InvalidStatus as problem:
            if problem.response.status_code == 401:
                raise Stopped(STOP_CODES[4401]) from problem
            logger.warning("%s answered with HTTP %d", self.url, problem.response.status_code)
        except (ConnectionClosed, Disconnected) as problem:
            if self._stopping.is_set():
                return 0
            return self._wait_after(problem, link)
        except (OSError, WebSocketException, TimeoutError, EOFError) as problem:
            logger.warning("%s cannot be reached: %s", self.url, problem or type(problem).__name__)
        except Refused as refused:
            if refused.code in STOP_REFUSALS:
                raise Stopped(refused.message) from refused
            logger.warning("The server refused the introduction: %s", refused)
            return max(refused.retry_after or 0, self._backoff.next())
        except (ValueError, KeyError, zlib.error) as problem:
            logger.exception("%s does not speak our language: %s", self.url, problem)
        finally:
            self._link = None
            self.connected.clear()
            if self.gone_since is None:
                self.gone_since = time.monotonic()
            if link:
                link.end()
                link.abort()
        return self._backoff.next()

    async def _live(self, link: Link) -> None:
        established: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()

        def take(frame: Frame) -> None:
            if frame.get("type") == "connection_established" and not established.done():
                established.set_result(frame.get("data") or {})
            else:
                self._take(link, frame)

        await _first_of(
            link.read(take, self._cursor),
            link.watch(quiet=self._quiet, silent=self._silent),
            self._speak(link, established),
        )

    async def _speak(self, link: Link, established: "asyncio.Future[Frame]") -> None:
        async with asyncio.timeout(GREETING_SECONDS):
            self.limits = (await established).get("limits") or {}
            answer = _data_of(await link.request("agent:connect", self._introduce()))
        self.welcome = welcome = answer if "agent_id" in answer else _data_of(answer)
        self._inbox.aim(self.topic, str(welcome.get("epoch") or ""), int(welcome.get("after") or 0))
        self._outbox.send_all_again()
        self._on_connected(welcome)
        self.gone_since = None
        self.connected.set()
        logger.info("Connected to %s as %s", self.url, self.topic)
        await _first_of(self._send_outbox(link), self._follow(link))

    async def _follow(self, link: Link) -> None:
        await self._subscribe(link)
        self._backoff.reset()
        await asyncio.Event().wait()

    async def _send_outbox(self, link: Link) -> None:
        pace = _Pace(self.limits)
        while True:
            entry = await self._outbox.next()
            if entry.size > self.frame_bytes:
                # It would be refused without its name, and stay here for good: the server took more when it was posted.
                why = f"The server takes {self.frame_bytes} bytes in a frame, not {entry.size}."
                self._outbox.refuse(entry.id, Refused("too_large", why))
                continue
            await pace.wait()
            await link.send(entry.text)

    # What arrives ---------------------------------------------------------------------------------

    def _take(self, link: Link, frame: Frame) -> None:
        id, data = str(frame.get("id")), frame.get("data") or {}
        match frame.get("type"):
            case "ack":
                self._outbox.acknowledge(id, _data_of(frame))
            case "error":
                self._take_refusal(frame.get("id"), Refused.of(data))
            case "reset" if frame.get("topic") == self._inbox.topic:
                self._start_afresh(link, data)
            case str(type) if "seq" in frame and frame.get("topic") == self._inbox.topic:
                self._take_event(link, type, int(frame["seq"]), data)

    def _take_refusal(self, id: object, refused: Refused) -> None:
        if id is None and refused.is_for_now:
            # It does not say which frame it means. Those that did arrive are known by their ids.
            self._outbox.send_all_again(after=refused.retry_after or 1.0)
        elif not self._outbox.refuse(str(id), refused):
            logger.warning("The server says: %s (%s)", refused, refused.code)

    def _take_event(self, link: Link, type: str, seq: int, data: Frame) -> None:
        match self._inbox.accept(seq):
            case Arrival.NEXT:
                self._on_event(type, data)
            case Arrival.TOO_FAR if self._resubscribing is None or self._resubscribing.done():
                logger.info("Event %d came after %d; asking for what is between", seq, self._inbox.seq)
                self._resubscribing = asyncio.create_task(self._subscribe_again(link))

    def _start_afresh(self, link: Link, data: Frame) -> None:
        """The history after our cursor is gone. A new introduction tells what is still open."""
        if self._inbox.is_own:
            logger.warning("The server lost the history of our inbox; introducing ourselves again")
            self._inbox.forget()
            link.abort()
        else:
            self._inbox.jump(str(data.get("epoch") or ""), int(data.get("head") or 0))

    async def _subscribe(self, link: Link) -> None:
        data: Frame = {"after": self._inbox.seq}
        if self._inbox.epoch:
            data["epoch"] = self._inbox.epoch
        subscribed = await link.request("subscribe", data, topic=self._inbox.topic)
        self._inbox.epoch = str((subscribed.get("data") or {}).get("epoch") or self._inbox.epoch)

    async def _subscribe_again(self, link: Link) -> None:
        try:
            await self._subscribe(link)
        except (Refused, Disconnected) as problem:
            logger.warning("Could not ask for missing events: %s", problem)
            link.abort()

    def _cursor(self) -> dict[str, int]:
        return {self._inbox.topic: self._inbox.seq} if self._inbox.topic else {}

    # The end of a connection --------------------------------------------------------------------------

    def _wait_after(self, problem: Exception, link: Link | None) -> float:
        """Seconds to wait, by the reason for which the connection ended. Raises Stopped."""
        code = problem.rcvd.code if isinstance(problem, ConnectionClosed) and problem.rcvd else None
        said = link.last_refusal if link else None
        if code in STOP_CODES:
            raise Stopped(said.message if said else STOP_CODES[code]) from problem
        logger.warning("The connection ended: %s", problem)
        if code == RESTARTING:
            return random.uniform(0.2, 3.0)
        wait = self._backoff.next()
        if code == TOO_FAST:
            return wait + (said.retry_after if said and said.retry_after else 1.0)
        return wait + 5.0 if code == TOO_MANY else wait


class _Pace:
    """Keeps the frames per second a little below what the server allows."""

    def __init__(self, limits: Frame) -> None:
        rate = limits.get("agent_frames_per_second")
        self._gap = 1 / (0.8 * rate) if isinstance(rate, int | float) and rate > 0 else 0.0
        self._due = time.monotonic()

    async def wait(self) -> None:
        now = time.monotonic()
        # Up to a quarter of a second's frames may go at once.
        self._due = max(self._due + self._gap, now - 0.25)
        if self._due > now:
            await asyncio.sleep(self._due - now)


def _data_of(frame: Frame) -> Frame:
    data = frame.get("data")
    return data if isinstance(data, dict) else {}


async def _first_of(*steps: Awaitable[object]) -> None:
    """Run steps side by side until one of them ends or fails; the others are cancelled."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
