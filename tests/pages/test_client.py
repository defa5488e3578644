"""What a page tells its client."""

import html
import json
import re

import pytest

from apps.pages.words import WORDS, in_words
from tests.pages.conftest import say

pytestmark = pytest.mark.django_db


def told(client, path="/tasks/"):
    [body] = re.findall(r"<body ([^>]*)>", client.get(path).text)
    return dict(re.findall(r'data-([a-z-]+)="([^"]*)"', body))


def test_the_settings_reach_the_client(browser, alice, settings):
    found = told(browser(alice))
    assert (found["reconnect-ms"], found["attempts"], found["queue"]) == ("1000", "3", "100")
    assert (found["socket-url"], found["agent-monitoring"], found["report-errors"]) == ("", "on", "off")
    settings.CLIENT = {"reconnect_seconds": 2.0, "attempts": 10, "queue": 50}
    settings.WEBSOCKET_URL = "wss://live.example/ws/"
    settings.ENABLE_AGENT_MONITORING = False
    settings.REPORT_CLIENT_ERRORS = True
    found = told(browser(alice))
    assert (found["reconnect-ms"], found["attempts"], found["queue"]) == ("2000", "10", "50")
    assert found["socket-url"] == "wss://live.example/ws/"
    assert (found["agent-monitoring"], found["report-errors"]) == ("off", "on")


def test_a_page_and_its_script_call_a_state_the_same(browser, alice, bob, team):
    say(bob, "task:submit", f"team.{team.pk}", query="echo hi")
    client = browser(alice)
    assert json.loads(html.unescape(told(client)["words"])) == WORDS
    assert 'data-status="queued">waiting</span>' in client.get("/tasks/").text
    assert in_words("queued") == in_words("sent") and in_words("succeeded") == in_words("completed")


def test_tabs_of_one_login_share_a_name_and_others_do_not(browser, alice, bob):
    first, second = browser(alice), browser(alice)
    assert told(first)["session"] == told(first, "/agents/")["session"]
    assert told(first)["session"] != told(second)["session"]
    assert told(first)["session"] not in first.cookies["sessionid"].value
    assert told(browser(bob))["session"] != told(first)["session"]


def test_strangers_are_told_nothing(browser):
    assert told(browser(), "/login/") == {}
