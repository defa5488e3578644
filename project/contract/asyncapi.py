"""`docs/asyncapi.json`: the socket described for programs (AsyncAPI 3.0)."""

from typing import Any

import orjson
from pydantic import BaseModel

from apps.events import declare
from apps.events.declare import fields_of
from apps.gateway import protocol
from project.contract.markdown import about


def render() -> str:
    """The document, with sorted keys, so that a change in a contract is a change of one line here."""
    document = {
        "asyncapi": "3.0.0",
        "info": {"title": "Signalbox", "version": "1", "description": "The socket of Signalbox; see docs/protocol.md."},
        "defaultContentType": "application/json",
        "channels": {"control": _control()} | {kind: _channel(topic) for kind, topic in declare.topics.items()},
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": schemas()},
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"


def schemas() -> dict[str, Any]:
    """The `data` of every event, whisper and command frame as JSON Schema, by its class's name."""
    found: dict[str, Any] = {}
    for declared in _declared():
        schema = declared.model_json_schema(ref_template="#/components/schemas/{model}")
        found.update(schema.pop("$defs", {}))
        found[declared.__name__] = schema
    return found


def _declared() -> list[type[BaseModel]]:
    return [*declare.events.values(), *declare.whispers.values(), *declare.frames.values()]


def _channel(topic: type[declare.Topic]) -> dict[str, Any]:
    said = [
        *(event for event in declare.events.values() if event.TOPIC is topic),
        *(whisper for whisper in declare.whispers.values() if whisper.TOPIC is topic),
        *(frame for frame in declare.frames.values() if frame.TOPIC is topic),
    ]
    return {
        "address": topic.pattern,
        "description": about(topic),
        "parameters": {name: {} for name in fields_of(topic.pattern)},
        "messages": {one.__name__: {"$ref": f"#/components/messages/{one.__name__}"} for one in said},
    }


def _control() -> dict[str, Any]:
    words = {**protocol.CONTROL_FROM_CLIENT, **protocol.CONTROL_FROM_SERVER}
    return {
        "address": "/ws/",
        "description": "Frames of the gateway itself.",
        "messages": {name: {"name": name, "summary": about} for name, about in words.items()},
    }


def _operations() -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for declared in (*declare.events.values(), *declare.whispers.values()):
        operations[f"receive{declared.__name__}"] = _operation("send", declared)
    for frame in declare.frames.values():
        operations[f"send{frame.__name__}"] = _operation("receive", frame)
    return operations


def _operation(action: str, declared: Any) -> dict[str, Any]:
    """`action` is from the server's side, as AsyncAPI has it."""
    channel = declared.TOPIC.kind if declared.TOPIC else "control"
    message = f"#/channels/{channel}/messages/{declared.__name__}"
    if declared.TOPIC is None:
        return {"action": action, "channel": {"$ref": "#/channels/control"}}
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "messages": [{"$ref": message}]}


def _messages() -> dict[str, Any]:
    return {declared.__name__: _message(declared) for declared in _declared()}


def _message(declared: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "type": {"const": declared.TYPE},
        "data": {"$ref": f"#/components/schemas/{declared.__name__}"},
    }
    required = ["type", "data"]
    if declared.TOPIC is not None:
        properties["topic"] = {"type": "string", "examples": [declared.TOPIC.pattern]}
        required.append("topic")
    if declared in declare.frames.values():
        properties["id"] = {"type": "string", "minLength": 1, "maxLength": 90}
        required.append("id")
    else:
        properties["timestamp"] = {"type": "string", "format": "date-time"}
        required.append("timestamp")
    if declared in declare.events.values():
        properties["seq"] = {"type": "integer", "minimum": 1}
        required.append("seq")
    payload = {"type": "object", "properties": properties, "required": sorted(required)}
    return {"name": declared.TYPE, "summary": about(declared), "payload": payload}
