"""What a benchmark asks of Signalbox over HTTP."""

from typing import Any
from uuid import uuid4

import httpx

from benchmarks.servers import Signalbox


class Api:
    """One person's requests."""

    def __init__(self, server: Signalbox) -> None:
        headers = {"Authorization": f"Bearer {server.seed.tokens[-1]}"}
        self._http = httpx.Client(base_url=server.url(""), headers=headers, timeout=30)

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._http.get(path, params=query).raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        response = self._http.post(path, json=body)
        if response.is_error:
            raise RuntimeError(f"{path}: {response.status_code} {response.text[:500]}")
        return response.json()

    def request_command(self, agent_id: str) -> None:
        """Put a command into the agent's inbox."""
        data = {"kind": "shell", "spec": {"shell": "the load generator prints"}}
        frame = {"type": "command:request", "id": uuid4().hex, "topic": f"agent.{agent_id}", "data": data}
        self.post("/api/v1/frames/", frame)

    def event_reads(self) -> tuple[int, int]:
        """How often the server read events from its database: in all, and of the topic that was read most."""
        stats = self.get("/api/v1/ws/stats")["stats"]
        return stats["event_reads"], stats["event_reads_at_most"]
