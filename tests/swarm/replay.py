"""A run as somebody knows it who has only read its events."""

from typing import Any

from apps.events.models import StoredEvent


def replay(run_id: object) -> dict[str, Any]:
    """Apply all events of a run to nothing."""
    state: dict[str, Any] = {}
    for event in StoredEvent.objects.filter(topic=f"run.{run_id}").order_by("seq"):
        apply(state, event)
    return state


def apply(state: dict[str, Any], event: StoredEvent) -> None:
    """Bring `state` one event further. Applying one again changes nothing."""
    data: dict[str, Any] = event.payload
    match event.type:
        case "project_started":
            state.update(_begun(data))
        case "workflow_stage_update":
            state["stages"][data["index"]]["status"] = data["status"]
        case "agent_status_update":
            step = next(step for stage in state["stages"] for step in stage["steps"] if step["key"] == data["step"])
            step.update({name: data[name] for name in step if name in data})
        case "project_progress":
            state.update(data)
        case "project_error":
            state["error"] = data
        case "project_completed":
            state.update(data)


def _begun(data: dict[str, Any]) -> dict[str, Any]:
    waiting = dict.fromkeys(("agent_id", "task_id", "exit_code", "error", "started_at", "ended_at"))
    stages = [
        {
            "index": index,
            "name": stage["name"],
            "status": "waiting",
            "steps": [{**step, **waiting, "status": "waiting", "attempt": 0} for step in stage["steps"]],
        }
        for index, stage in enumerate(data["stages"])
    ]
    total = sum(len(stage["steps"]) for stage in stages)
    return {
        "id": data["run_id"],
        "topic": f"run.{data['run_id']}",
        "status": "running",
        "project_id": data["project_id"],
        "project": data["name"],
        "team_id": data["team_id"],
        "by": data["by"],
        "done": 0,
        "total": total,
        "percent": 0,
        "started_at": data["started_at"],
        "ended_at": None,
        "seconds": None,
        "error": None,
        "stages": stages,
    }
