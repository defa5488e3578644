"""Every "no" that Signalbox says. A door turns a refusal into an `error` frame or an HTTP status."""

from typing import Any, ClassVar


class Refusal(Exception):
    """What was asked for does not happen, and the one who asked is told why in one sentence."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400
    close_code: ClassVar[int | None] = None
    default_message: ClassVar[str] = "This was refused."

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        said = self.default_message if message is None else str(message)
        # It may repeat what was sent, and half a surrogate pair can go through no door.
        self.message = said.encode(errors="backslashreplace").decode()
        self.retry_after = retry_after
        self.recorded = False  # whether it is in the audit log already
        super().__init__(self.message)

    def as_data(self) -> dict[str, Any]:
        """The `data` of an error frame: code, message, and the seconds to wait if waiting helps."""
        data: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.retry_after is not None:
            data["retry_after"] = self.retry_after
        return data


class BadFrame(Refusal):
    """It is not a frame at all."""

    code, status, close_code = "bad_frame", 400, 4400
    default_message = "This is not a valid frame."


class Invalid(Refusal):
    """It is a frame or a body, but a value in it is wrong."""

    code, status = "invalid", 400
    default_message = "A value is missing or wrong."


class Unauthenticated(Refusal):
    """Nobody is known by these credentials, or no longer."""

    code, status, close_code = "unauthenticated", 401, 4401
    default_message = "Log in first: the credentials are missing, wrong or expired."


class Revoked(Refusal):
    """The credentials were taken away while they were in use."""

    code, status, close_code = "revoked", 401, 4440
    default_message = "This access was taken away."


class Forbidden(Refusal):
    """The role does not allow it."""

    code, status, close_code = "forbidden", 403, 4403
    default_message = "Your role does not allow this."


class NotFound(Refusal):
    """It does not exist, or it is none of the asker's business: the answer is the same."""

    code, status = "not_found", 404
    default_message = "There is no such thing."


class UnknownAddress(Refusal):
    """No door is at this address."""

    code, status, close_code = "unknown_address", 404, 4404
    default_message = "There is nothing at this address."


class Silent(Refusal):
    """Nothing was heard from this client for so long that it counts as gone."""

    code, status, close_code = "silent", 408, 4408
    default_message = "Nothing was heard from you for too long."


class Conflict(Refusal):
    """It no longer fits the present state."""

    code, status = "conflict", 409
    default_message = "This does not fit the present state."


class TooManyConnections(Refusal):
    """The limit of connections at the same time is reached."""

    code, status, close_code = "too_many_connections", 429, 4409
    default_message = "Too many connections at the same time."


class TooLarge(Refusal):
    """It has more bytes, items or depth than is allowed."""

    code, status, close_code = "too_large", 413, 4413
    default_message = "This is too large."


class TooFast(Refusal):
    """It comes too often; `retry_after` says how many seconds to wait."""

    code, status, close_code = "too_fast", 429, 4429
    default_message = "This comes too often."


class OutOfDate(Refusal):
    """The client speaks a protocol that is no longer understood."""

    code, status, close_code = "out_of_date", 426, 4426
    default_message = "This client is too old: load it again."


class Unavailable(Refusal):
    """The server cannot do it now."""

    code, status, close_code = "unavailable", 503, 1013
    default_message = "This is not possible at the moment."
