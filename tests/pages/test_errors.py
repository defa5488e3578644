"""What went wrong in a browser reaches the server's log, if the server wants it."""

import logging

import pytest

from apps.pages import errors

pytestmark = pytest.mark.django_db

URL = "/api/v1/client-errors/"


@pytest.fixture(autouse=True)
def wanted(settings):
    settings.REPORT_CLIENT_ERRORS = True
    errors._told.clear()


def report(client, *messages, page="/tasks/"):
    told = [{"kind": "error", "message": message, "where": "x.js:1:2"} for message in messages]
    return client.post(URL, {"page": page, "reports": told}, content_type="application/json")


def test_it_is_written_down_with_who_and_where(browser, alice, caplog):
    with caplog.at_level(logging.WARNING, "signalbox.browser"):
        assert report(browser(alice), "x is not a function").status_code == 204
    assert f"error of user:{alice.pk} on '/tasks/'" in caplog.text
    assert "x is not a function" in caplog.text


def test_what_a_browser_sends_can_not_forge_a_line(browser, alice, caplog):
    with caplog.at_level(logging.WARNING, "signalbox.browser"):
        report(browser(alice), "one\n12:00:00 ERROR root: two\x1b[31m")
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()
    assert "\x1b" not in caplog.records[0].getMessage()


def test_it_is_opt_in(browser, alice, settings):
    settings.REPORT_CLIENT_ERRORS = False
    assert report(browser(alice), "x").status_code == 404


def test_strangers_are_not_listened_to(browser):
    assert report(browser(), "x").status_code in (401, 403)


def test_more_than_thirty_a_minute_are_refused(browser, alice, bob):
    for _ in range(3):
        assert report(browser(alice), *["x"] * 10).status_code == 204
    refused = report(browser(alice), "one more")
    assert refused.status_code == 429
    assert 0 < refused.json()["error"]["retry_after"] <= 60
    assert report(browser(bob), "x").status_code == 204


@pytest.mark.parametrize("body", [{}, {"page": "/", "reports": [{"kind": "odd", "message": "x"}]}, {"reports": "x"}])
def test_nonsense_is_refused(browser, alice, body):
    assert browser(alice).post(URL, body, content_type="application/json").status_code == 400
