"""What a benchmark asks of Signalbox over HTTP."""

from typing import Any
from uuid import uuid4

import httpx

from benchmarks.servers import Signalbox


class Api:
    """Requests of the team's owner."""

    def __init__(self, server: Signalbox) -> None:
        headers = {"Authorization": f"Bearer {server.seed.tokens[0]}"}
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

    def start_run(self, name: str, agents: list[str]) -> str:
        """Start a project with one stage, in which each agent has a step; gives the run's topic."""
        steps = [{"name": agent, "run": "the load generator prints", "agent": agent} for agent in agents]
        project = self.post("/api/v1/projects/", {"name": name, "stages": [{"name": "Print", "steps": steps}]})
        return str(self.post(f"/api/v1/projects/{project['id']}/runs/", None)["topic"])

    def etag(self, path: str) -> str:
        """The ETag of an answer."""
        return self._http.get(path).raise_for_status().headers["ETag"]

    def head(self, topic: str) -> int:
        """The seq of the topic's newest event."""
        return int(self.get("/api/v1/events/", topic=topic, after=0, limit=1)["head"])

    def event_reads(self) -> tuple[int, int]:
        """How often the server read events from its database: in all, and of the topic that was read most."""
        stats = self.get("/api/v1/ws/stats")["stats"]
        return stats["event_reads"], stats["event_reads_at_most"]
