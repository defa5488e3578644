"""Who speaks. A door makes the Actor from credentials; everything behind the door trusts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.accounts.models import ApiKey, User


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, an agent process, or (neither given) the server itself."""

    user: User | None = None
    key: ApiKey | None = None
    connection: str = ""  # the gateway's connection id, "" over HTTP
    expires_at: float | None = None  # unix time at which the credentials end by themselves
    # What the credentials hang on, so that `renewed` can ask again later.
    session_key: str = ""  # the browser session
    family: str = ""  # the JWT login: one family of access and refresh tokens
    password_mark: str = ""  # the token's mark of the password it was issued under

    @property
    def sender(self) -> str:
        """The stable name in the log: "user:3", "key:<prefix>" or "system"."""
        if self.user is not None:
            return f"user:{self.user.pk}"
        if self.key is not None:
            return f"key:{self.key.prefix}"
        return "system"

    @property
    def name(self) -> str:
        """The name people see."""
        if self.user is not None:
            return self.user.display_name
        if self.key is not None:
            return self.key.name
        return "system"

    @property
    def is_agent(self) -> bool:
        return self.key is not None

    @property
    def is_staff(self) -> bool:
        return self.user is not None and self.user.is_active and self.user.is_staff

    @property
    def is_system(self) -> bool:
        return self.user is None and self.key is None


SYSTEM = Actor()
