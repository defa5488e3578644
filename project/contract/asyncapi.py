"""`docs/asyncapi.json`: the socket described for programs (AsyncAPI 3.0)."""

from typing import Any

import orjson
from pydantic import BaseModel

from apps.events import declare
from apps.events.declare import fields_of
from apps.events.models import ID_LENGTH
from apps.gateway import control
from apps.gateway.control import Control
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
    """The `data` of every frame as JSON Schema, by its class's name."""
    found: dict[str, Any] = {}
    ours = [one.data for one in (*control.FROM_CLIENT.values(), *control.FROM_SERVER.values()) if one.data]
    for declared in [*_declared(), *ours]:
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
    connecting = [frame for frame in declare.frames.values() if frame.TOPIC is None]
    said = [name for name, _ in _controls()] + [frame.__name__ for frame in connecting]
    return {
        "address": "/ws/",
        "description": "Frames of the connection itself.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in said},
    }


def _controls() -> list[tuple[str, dict[str, Any]]]:
    """Each control frame as a message, under a name that says who sends it: two types go both ways."""
    return [
        *((f"client.{type}", _control_message(type, one)) for type, one in control.FROM_CLIENT.items()),
        *((f"server.{type}", _control_message(type, one)) for type, one in control.FROM_SERVER.items()),
    ]


def _control_message(type: str, one: Control) -> dict[str, Any]:
    properties: dict[str, Any] = {"type": {"const": type}, "id": {"type": ["string", "integer"]}}
    required = ["type"]
    if one.has_topic:
        properties["topic"] = {"type": "string"}
        required.append("topic")
    if one.data is None:
        properties["messages"] = {"type": "array"}
        required.append("messages")
    else:
        properties["data"] = _schema_of(one.data)
        if any(field.is_required() for field in one.data.model_fields.values()):
            required.append("data")
    payload = {"type": "object", "properties": properties, "required": sorted(required)}
    return {"name": type, "summary": one.about, "payload": payload}


def _schema_of(declared: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{declared.__name__}"}


def _operations() -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for name, _ in _controls():
        action = "receive" if name.startswith("client.") else "send"
        messages = [{"$ref": f"#/channels/control/messages/{name}"}]
        operations[name] = {"action": action, "channel": {"$ref": "#/channels/control"}, "messages": messages}
    for declared in (*declare.events.values(), *declare.whispers.values()):
        operations[f"receive{declared.__name__}"] = _operation("send", declared)
    for frame in declare.frames.values():
        operations[f"send{frame.__name__}"] = _operation("receive", frame)
    return operations


def _operation(action: str, declared: Any) -> dict[str, Any]:
    """`action` is from the server's side, as AsyncAPI has it."""
    channel = declared.TOPIC.kind if declared.TOPIC else "control"
    message = f"#/channels/{channel}/messages/{declared.__name__}"
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "messages": [{"$ref": message}]}


def _messages() -> dict[str, Any]:
    return dict(_controls()) | {declared.__name__: _message(declared) for declared in _declared()}


def _message(declared: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "type": {"const": declared.TYPE},
        "data": _schema_of(declared),
    }
    required = ["type", "data"]
    if declared.TOPIC is not None:
        properties["topic"] = {"type": "string", "examples": [declared.TOPIC.pattern]}
        required.append("topic")
    if declared in declare.frames.values():
        properties["id"] = {"type": ["string", "integer"], "minLength": 1, "maxLength": ID_LENGTH}
        required.append("id")
    else:
        properties["timestamp"] = {"type": "string", "format": "date-time"}
        required.append("timestamp")
    if declared in declare.events.values():
        properties["seq"] = {"type": "integer", "minimum": 1}
        required.append("seq")
    payload = {"type": "object", "properties": properties, "required": sorted(required)}
    return {"name": declared.TYPE, "summary": about(declared), "payload": payload}
