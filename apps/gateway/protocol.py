"""The gateway's own words on the wire; what features say is in their contracts."""

from typing import Any

from apps.accounts import refusals
from apps.accounts.refusals import Refusal

CONTROL_FROM_CLIENT = {
    "auth": "Says who one is, as the first frame: `{token, compress?}`. Later a token is taken as by `token_refresh`.",
    "token_refresh": "New credentials of the same sender for this connection: `{token}`.",
    "subscribe": "Follow a topic, after a cursor if there is one: `{after?, epoch?, presence?}`.",
    "unsubscribe": "Follow it no longer.",
    "presence": "Asks to be told who else follows a topic that one follows: `{on?}`; false ends it.",
    "received": "What has arrived, `{topic: seq}`: gives the server credit to send more. Not answered.",
    "heads": "Asks what was last sent on each followed topic.",
    "ping": "Asks for a `pong`; its `id` comes back.",
}
CONTROL_FROM_SERVER = {
    "connection_established": "The first frame once it is known who this is: id, user, limits, heartbeat interval.",
    "ack": "The frame with this `id` was carried out; `data` names the event that it became.",
    "error": "A frame was refused: `{code, message, retry_after?}`; without `id` it concerns the connection.",
    "batch": "Several frames at once, in order: `{messages: […]}`.",
    "subscribed": "The topic is followed: `{topic, epoch, head, recovered}`.",
    "unsubscribed": "The server ended a subscription: `{code, message}`.",
    "reset": "The cursor is of a history that is gone: `{topic, epoch, head, floor}`. Load the state again.",
    "heads": "The seq last sent on each followed topic: `{topic: seq}`.",
    "presence": "Who follows the topic now, for those who asked: `{users: [{id, name}], count}`. No seq.",
    "pong": "The answer to `ping`: `{time}`, unix milliseconds.",
    "token_expiring": "The token ends in `{seconds}`; send `token_refresh`.",
}

AUTH_TIMEOUT = 4408
RESTART = 1012

COULD_NOT = "This could not be done; the server's log says why."


def id_of(inbound: object) -> Any:
    """The `id` with which a frame is answered: just as it was sent, if it is text or a whole number."""
    id = inbound.get("id") if isinstance(inbound, dict) else None
    return id if isinstance(id, str | int) and not isinstance(id, bool) else None


def close_codes() -> dict[str, int]:
    """Name and number of every close code of ours."""
    codes = {r.code: r.close_code for r in all_refusals() if r.close_code is not None}
    return dict(sorted({**codes, "auth_timeout": AUTH_TIMEOUT}.items()))


def all_refusals() -> list[type[Refusal]]:
    """Every kind of "no", by its code."""
    found = [r for r in vars(refusals).values() if isinstance(r, type) and issubclass(r, Refusal) and r is not Refusal]
    return sorted(found, key=lambda refusal: refusal.code)
