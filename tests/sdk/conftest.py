import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sdk"))

from signalbox_agent.agent import Agent, Settings
from signalbox_agent.backoff import Backoff
from signalbox_agent.client import AgentClient
from signalbox_agent.policy import Policy

from tests.sdk.server import ScriptedServer


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedServer]:
    """A server in this process that does what the test says."""
    server = await ScriptedServer().start()
    yield server
    await server.stop()


@pytest.fixture
async def client(scripted: ScriptedServer) -> AsyncIterator[Callable[..., AgentClient]]:
    """`client()`: a connecting client. `.seen` lists the events it got, `.running` is its task."""
    async with AsyncExitStack() as stack:

        def make(**options: Any) -> AgentClient:
            seen: list[tuple[str, dict[str, Any]]] = []
            made = AgentClient(
                scripted.url,
                "prefix.secret",
                introduce=lambda: {"name": "worker", "instance": "i1", "running": []},
                on_event=lambda type, data: seen.append((type, data)),
                backoff=Backoff(first=0.02, longest=0.1),
                **options,
            )
            made.seen = seen  # type: ignore[attr-defined]
            made.running = asyncio.create_task(made.run())  # type: ignore[attr-defined]
            stack.push_async_callback(_end, made.running)  # type: ignore[attr-defined]
            return made

        yield make


@pytest.fixture
async def agent(scripted: ScriptedServer, tmp_path: Path) -> AsyncIterator[Callable[..., Agent]]:
    """`agent()`: a working agent that allows everything. `.running` is its task."""
    async with AsyncExitStack() as stack:

        def make(**options: Any) -> Agent:
            options.setdefault("policy", Policy(everything=True, base=tmp_path))
            made = Agent(Settings(url=scripted.url, key="prefix.secret", name="worker", **options))
            made.running = asyncio.create_task(made.run())  # type: ignore[attr-defined]
            stack.push_async_callback(_end, made.running)  # type: ignore[attr-defined]
            return made

        yield make


async def _end(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
