"""The cast and the stage of every test.

Alice owns a team, bob operates in it, victor views, mallory is a stranger, and an agent has a key of the team.
In a test that uses `server` (or `connect`, `api`, `window`, which do), they live in that live server's database and
are `Person`s; in every other test they are rows of the test database.

`server` is one of the four variants and shared between tests; each test gets a fresh cast in it. A test that configures
its server, or leaves it harmed, says `@pytest.mark.own_server(LIMIT_TOPICS="3")`; a module that configures its server
for all its tests has SETTINGS; `@pytest.mark.variants("sqlite")` narrows the choice. `server.do("module:function", …)` calls a function in a process
beside the server, with its database.

So with Chromium: a worker has one, and each `window` in it is a profile of its own that is gone after the test; a test
that would harm others' windows says `@pytest.mark.own_browser`. That Chromium lives on one event loop, so every test
with a live server does, and async fixtures that talk to the server say `@live_fixture`.
"""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from types import FrameType
from typing import Any

import hypothesis
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, async_playwright

from tests.support import processes
from tests.support.browser import Window, launch, window_of
from tests.support.clients import Api, Socket, Speaker, connect_to
from tests.support.schedule import ByServer
from tests.support.servers import VARIANTS, LiveServer, Variant

live_fixture = pytest_asyncio.fixture(loop_scope="session")
"""An async fixture on the worker's one event loop, where the tests with a live server run."""

_cast_numbers = count(1)


@dataclass(frozen=True)
class Person:
    """A member of a live server's cast."""

    id: int
    username: str
    password: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Key:
    """An agent's key in a live server; `token` is the secret."""

    id: str
    prefix: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class LiveTeam:
    """A team in a live server."""

    id: str
    name: str

    @property
    def topic(self) -> str:
        return f"team.{self.id}"


# The cast -------------------------------------------------------------------------------------------


@pytest.fixture
def _stage(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The whole cast of one test, in the live server if it has one, else in the test database."""
    if "server" not in request.fixturenames:
        return _cast_in_this_process()
    server: LiveServer = request.getfixturevalue("server")
    cast = server.do("tests.support.seed:cast", f"{next(_cast_numbers)}")
    people = {name: Person(**data) for name, data in cast["people"].items()}
    return {**people, "team": LiveTeam(**cast["team"]), "agent_key": Key(**cast["agent_key"])}


@pytest.fixture
def alice(_stage: dict[str, Any]) -> Any:
    """The owner of `team`."""
    return _stage["alice"]


@pytest.fixture
def bob(_stage: dict[str, Any]) -> Any:
    """An operator of `team`."""
    return _stage["bob"]


@pytest.fixture
def victor(_stage: dict[str, Any]) -> Any:
    """A viewer of `team`."""
    return _stage["victor"]


@pytest.fixture
def mallory(_stage: dict[str, Any]) -> Any:
    """A stranger to `team`, with a team of nobody else."""
    return _stage["mallory"]


@pytest.fixture
def team(_stage: dict[str, Any]) -> Any:
    """The team of alice, bob and victor."""
    return _stage["team"]


@pytest.fixture
def agent_key(_stage: dict[str, Any]) -> Any:
    """An agent's key of `team`: the row (its secret is `.secret`), or a `Key` of the live server."""
    return _stage["agent_key"]


def _cast_in_this_process() -> dict[str, Any]:
    from apps.accounts.models import ApiKey, Membership, Team, User
    from apps.accounts.roles import Role

    team = Team.objects.create(name="The signal box")
    people = {name: User.objects.create_user(name, password="a long walk on the platform") for name in _NAMES}
    for name, role in [("alice", Role.OWNER), ("bob", Role.OPERATOR), ("victor", Role.VIEWER)]:
        Membership.objects.create(user=people[name], team=team, role=role)
    key, secret = ApiKey.objects.create_key(name="agents", team=team)
    key.secret = secret  # type: ignore[attr-defined]
    return {**people, "team": team, "agent_key": key}


_NAMES = ("alice", "bob", "victor", "mallory")


# Live servers ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """As pytest-django's; the threads that work on the database let go of it before it is dropped."""
    yield
    from tests.support.databases import let_go

    with django_db_blocker.unblock():
        let_go()


@pytest.fixture(scope="session")
def _shared_servers() -> Iterator[dict[tuple[Any, ...], LiveServer]]:
    servers: dict[tuple[Any, ...], LiveServer] = {}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture
def server(
    variant: Variant, request: pytest.FixtureRequest, _shared_servers: dict[tuple[Any, ...], LiveServer]
) -> Iterator[LiveServer]:
    """A real server that answers: the variant's shared one, or a fresh one for tests marked `own_server`.

    Tests of a module that has SETTINGS share one with these variables in its environment.
    """
    if own := request.node.get_closest_marker("own_server"):
        server = LiveServer(variant, **own.kwargs)
        try:
            yield server.start()
        finally:
            server.close()
        return
    settings: dict[str, str] = getattr(request.module, "SETTINGS", {})
    key = (variant, *settings.items())
    for other in [other for other in _shared_servers if other[1:] not in ((), key[1:])]:
        _shared_servers.pop(other).close()  # Its module is over.
    if key not in _shared_servers:
        _shared_servers[key] = LiveServer(variant, **settings)
    server = _shared_servers[key]
    if not server.running():
        server.start()
    yield server


@live_fixture
async def connect(server: LiveServer) -> AsyncIterator[Callable[..., Awaitable[Socket]]]:
    """`await connect(alice, follow=topic, after=0)`: an open socket that has read `connection_established`."""
    async with AsyncExitStack() as stack:

        async def open_one(
            who: Speaker | None = None,
            *,
            follow: str | None = None,
            after: int | None = None,
            epoch: str | None = None,
            **options: Any,
        ) -> Socket:
            socket = await connect_to(server.ws_url, who, **options)
            stack.push_async_callback(socket.close)
            if who is not None:
                await socket.frame("connection_established")
            if follow is not None:
                await socket.follow(follow, after, epoch)
            return socket

        yield open_one


@live_fixture
async def api(server: LiveServer) -> AsyncIterator[Callable[[Speaker | None], Api]]:
    """`api(alice)`: REST as alice."""
    async with AsyncExitStack() as stack:

        def speak(who: Speaker | None = None) -> Api:
            client = Api(server.url, who)
            stack.push_async_callback(client.aclose)
            return client

        yield speak


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        yield playwright


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _shared_browsers(_playwright: Playwright) -> AsyncIterator[list[Browser]]:
    browsers: list[Browser] = []
    yield browsers
    for browser in browsers:
        await browser.close()


@live_fixture
async def chromium(
    request: pytest.FixtureRequest, _playwright: Playwright, _shared_browsers: list[Browser]
) -> AsyncIterator[Browser]:
    """A real Chromium: the worker's, or a fresh one for tests marked `own_browser`."""
    if request.node.get_closest_marker("own_browser"):
        browser = await launch(_playwright)
        yield browser
        await browser.close()
        return
    if not _shared_browsers or not _shared_browsers[-1].is_connected():
        _shared_browsers.append(await launch(_playwright))
    yield _shared_browsers[-1]


@live_fixture
async def window(server: LiveServer, chromium: Browser) -> AsyncIterator[Callable[..., Awaitable[Window]]]:
    """`(await window(alice)).open("/tasks/")`: a page in a real Chromium; a script's error fails the test."""
    windows: list[Window] = []

    async def open_one(who: Person | None = None) -> Window:
        windows.append(await window_of(chromium, server, who.id if who else None))
        return windows[-1]

    yield open_one
    for window in windows:
        await window.context.close()
    problems = [problem for window in windows for problem in window.problems]
    assert not problems, problems


# pytest's own ---------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that uses a live server runs on each variant, or on those its marker names."""
    if "server" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("variants")
    wanted = marker.args if marker else ()
    chosen = [variant for variant in VARIANTS if all(part in str(variant) for part in wanted)]
    metafunc.parametrize("variant", chosen, ids=str)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks tests by what they stand on, so that a run can choose; who has the cast alone needs the test database."""
    names = getattr(item, "fixturenames", ())
    if "server" in names:
        item.add_marker("live")
        if pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    if "window" in names:
        item.add_marker("browser")
    if "_stage" in names and "server" not in names and not item.get_closest_marker("django_db"):
        item.add_marker("django_db")
    if item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(names):
        item.add_marker("database")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByServer:
    return ByServer(config, log)


def pytest_configure(config: pytest.Config) -> None:
    # How long an example takes says more about the machine than about the code.
    hypothesis.settings.register_profile("signalbox", deadline=None)
    hypothesis.settings.load_profile("signalbox")
    if hasattr(config, "workerinput"):
        return
    processes.session_dir()
    processes.end_dead_sessions()
    # A terminated run still ends what it started: SystemExit passes through pytest's own clean-up.
    signal.signal(signal.SIGTERM, _leave)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        processes.end_session()


def _leave(sign: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + sign)
