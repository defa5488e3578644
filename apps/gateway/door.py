"""Who stands at the door: credentials of a socket's handshake, and which pages may open one."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http.cookie import parse_cookie

from apps.accounts import authentication
from apps.accounts.actors import Actor
from apps.accounts.refusals import Forbidden, Unauthenticated
from apps.gateway.models import ADDRESS_LENGTH

Scope = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a socket's opening request says."""

    host: str
    origin: str
    secure: bool
    bearer: str
    ticket: str
    session: str
    address: str
    client: str

    @classmethod
    def of(cls, scope: Scope) -> "Handshake":
        headers = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        scheme, _, token = headers.get(b"authorization", "").partition(" ")
        return cls(
            host=headers.get(b"host", ""),
            origin=headers.get(b"origin", ""),
            secure=_is_secure(scope, headers),
            bearer=token.strip() if scheme.lower() == "bearer" else "",
            ticket=(query.get("ticket") or query.get("token") or [""])[0],
            session=parse_cookie(headers.get(b"cookie", "")).get(settings.SESSION_COOKIE_NAME, ""),
            address=str((scope.get("client") or ("",))[0])[:ADDRESS_LENGTH],
            client=headers.get(b"user-agent", ""),
        )

    @property
    def is_same_origin(self) -> bool:
        """Scheme, host and port: a page on another port of this host is a stranger."""
        scheme = "https" if self.secure else "http"
        theirs, _, host = self.origin.partition("://")
        return theirs == scheme and _with_port(host, scheme) == _with_port(self.host, scheme)

    def check_origin(self) -> None:
        """Raises Forbidden for a page that may not open sockets here. Programs send no Origin."""
        if self.origin and not self.is_same_origin and self.origin not in settings.ALLOWED_ORIGINS:
            raise Forbidden(f"Pages of {self.origin[:100]} may not connect here.")

    def actor(self) -> Actor | None:
        """Who this is by its handshake; None: it has to send `auth`. Raises Unauthenticated for bad credentials.

        The cookie counts only with our own Origin: any page can make a browser send it.
        """
        if self.bearer:
            return authentication.actor_from_bearer(self.bearer)
        if self.ticket:
            return authentication.actor_from_ticket(self.ticket)
        if self.session and self.origin and self.is_same_origin:
            try:
                return authentication.actor_from_session(self.session)
            except Unauthenticated:
                return None  # An old cookie hurts nobody who brings a token.
        return None


def _is_secure(scope: Scope, headers: dict[bytes, str]) -> bool:
    """Daphne says no scheme of a socket, whatever its proxy told it; behind TLS (HTTPS) the proxy is asked itself."""
    if "scheme" in scope:
        return bool(scope["scheme"] == "wss")
    return settings.HTTPS and headers.get(b"x-forwarded-proto") == "https"


def _with_port(netloc: str, scheme: str) -> str:
    netloc = netloc.lower()
    default = ":443" if scheme == "https" else ":80"
    return netloc.removesuffix(default)
