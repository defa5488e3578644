"""What the REST doors of all features have in common: a request that changes something stands for a frame."""

from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

from django.http import QueryDict
from rest_framework.request import Request

from apps.accounts.refusals import Invalid
from apps.accounts.rest import actor_of
from apps.events.dispatch import perform_sync


def perform_request(request: Request, type: str, topic: str, data: Any) -> dict[str, Any]:
    """Carry out the frame that a request stands for. Its `Idempotency-Key`, if any, names it; the ack."""
    id = request.headers.get("Idempotency-Key") or str(uuid4())
    data = data.dict() if isinstance(data, QueryDict) else data
    return perform_sync(actor_of(request), {"type": type, "id": id, "topic": topic, "data": data})


def uuid_of(text: str | None, name: str) -> UUID | None:
    """A query parameter that is an id, or is left out."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"{name} must be an id like {uuid4()}.") from None


def choice_of(text: str | None, name: str, choices: Collection[str]) -> str | None:
    """A query parameter that is one of these words, or is left out."""
    if text and text not in choices:
        raise Invalid(f"{name} must be one of {', '.join(choices)}.")
    return text or None
