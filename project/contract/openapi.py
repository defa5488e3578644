"""What drf-spectacular cannot see: the log's page, and the frames that may be posted."""

from typing import Any

from apps.events import declare
from project.contract.asyncapi import schemas


def add_contracts(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A postprocessing hook of SPECTACULAR_SETTINGS."""
    components = result.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in schemas().items():
        components.setdefault(name, schema)
    for frame in declare.frames.values():
        components[f"{frame.__name__}Frame"] = _frame(frame)
    frames = [{"$ref": f"#/components/schemas/{frame.__name__}Frame"} for frame in declare.frames.values()]
    components["Frame"] = {"oneOf": frames}
    either = {"oneOf": [components["Frame"], {"type": "array", "items": {"$ref": "#/components/schemas/Frame"}}]}
    post = result["paths"].get("/api/v1/frames/", {}).get("post")
    if post:
        post["requestBody"] = {"content": {"application/json": {"schema": either}}, "required": True}
    result["paths"]["/api/v1/events/"] = {"get": _read_events()}
    return result


def _frame(frame: type[declare.CommandFrame]) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "type": {"type": "string", "enum": [frame.TYPE]},
        "id": {"type": "string", "minLength": 1, "maxLength": 90},
        "data": {"$ref": f"#/components/schemas/{frame.__name__}"},
    }
    required = ["type", "id", "data"]
    if frame.TOPIC is not None:
        properties["topic"] = {"type": "string", "example": frame.TOPIC.pattern}
        required.append("topic")
    return {"type": "object", "description": frame.__doc__ or "", "properties": properties, "required": required}


def _read_events() -> dict[str, Any]:
    def parameter(name: str, about: str, *, required: bool = False, type: str = "integer") -> dict[str, Any]:
        return {"name": name, "in": "query", "description": about, "required": required, "schema": {"type": type}}

    def several(name: str, about: str) -> dict[str, Any]:
        return parameter(name, about) | {"schema": {"type": "array", "items": {"type": "string"}}, "explode": True}

    return {
        "operationId": "events_read",
        "description": "A page of the log after a cursor, or before one. See docs/protocol.md.",
        "tags": ["events"],
        "parameters": [
            parameter("topic", "The topic's name.", required=True, type="string"),
            parameter("after", "The seq of the last event one has; 0 for all."),
            parameter("epoch", "The epoch of that cursor.", type="string"),
            parameter("wait", "Seconds to wait for news, at most 25."),
            parameter("limit", "Events at most, up to 1000."),
            parameter("before", "Read backwards: the events just below this seq."),
            several("match", "Only events with this text in a line of what they print, or in their data."),
            several("type", "Only events of this type."),
            {
                "name": "where",
                "in": "query",
                "description": "`where.<field>=<value>`: only events whose `data` has this value in this field.",
                "style": "form",
                "explode": True,
                "schema": {"type": "object", "additionalProperties": {"type": "string"}},
                "example": {"where.level": "error"},
            },
            parameter("places", "1: in place of events, the first and last seq of each place of the filter."),
        ],
        "responses": {
            "200": {
                "description": "`{topic, epoch, head, floor, reset, events}`; with a filter `scanned_to` too.",
                "content": {"application/json": {}},
            },
            "304": {"description": "Nothing new; `Retry-After` says when to ask again."},
            "400": {"description": "A parameter is wrong; the message names it."},
            "401": {"description": "Nobody is known by these credentials."},
            "404": {"description": "There is no such topic, or it is none of yours."},
            "429": {"description": "Filtered pages are asked for too often; `Retry-After` says when to ask again."},
        },
        "security": [{"bearer": []}, {"cookieAuth": []}],
    }
