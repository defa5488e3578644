"""What a socket's opening request says, as odd as it may be."""

import pytest

from apps.accounts.refusals import Forbidden
from apps.gateway.door import Handshake
from apps.gateway.models import Connection


def handshake(scheme="ws", client=("127.0.0.1", 5000), **headers):
    scope = {"scheme": scheme, "client": client, "headers": [(b"host", b"signalbox.example")]}
    if scheme is None:
        del scope["scheme"]
    scope["headers"] += [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Handshake.of(scope)


# Cookies of others


@pytest.mark.parametrize(
    "other", ["foo", 'prefs={"a": 1}', "a b=1", "x=[1,2]", 'x="unclosed', "ü=1", "x=a@b", "expires=never", "=", ""]
)
def test_a_foreign_cookie_does_not_hide_ours(other):
    assert handshake(cookie=f"{other}; sessionid=abc").session == "abc"
    assert handshake(cookie=f"sessionid=abc; {other}").session == "abc"


def test_without_ours_there_is_no_session():
    assert handshake(cookie="other=abc").session == handshake().session == ""


# Origins


@pytest.mark.parametrize("origin", ["http://signalbox.example", "http://signalbox.example:80"])
def test_our_own_pages_may_come(origin):
    handshake(origin=origin).check_origin()


@pytest.mark.parametrize(
    "origin",
    ["http://[", "http://]", "http://", "//", "null", "signalbox.example", "http:signalbox.example", "é",
     "https://signalbox.example", "http://signalbox.example:8000", "http://signalbox.example.evil.example"],
)  # fmt: skip
def test_every_other_origin_is_refused_in_words(origin):
    with pytest.raises(Forbidden, match="may not connect here"):
        handshake(origin=origin).check_origin()


def test_behind_tls_the_origin_says_https():
    handshake("wss", origin="https://signalbox.example").check_origin()
    with pytest.raises(Forbidden):
        handshake("wss", origin="http://signalbox.example").check_origin()


def test_where_the_server_says_no_scheme_its_proxy_is_believed_behind_tls_only(settings):
    ours = handshake(None, origin="https://signalbox.example", x_forwarded_proto="https")
    assert not ours.is_same_origin
    settings.HTTPS = True
    assert handshake(None, origin="https://signalbox.example", x_forwarded_proto="https").is_same_origin
    assert not handshake(None, origin="https://signalbox.example").is_same_origin
    assert not handshake("ws", origin="https://signalbox.example", x_forwarded_proto="https").is_same_origin


# Addresses


def test_an_address_fits_into_its_column():
    """One that does not would keep out everybody who came in the same moment."""
    assert len(handshake(client=("x" * 70, 0)).address) == Connection._meta.get_field("address").max_length
    assert handshake(client=None).address == ""
