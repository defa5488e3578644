"""Every page as the server writes it."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts import tokens
from apps.accounts.actors import Actor
from apps.accounts.models import User
from apps.agents.models import Agent
from apps.agents.services import request_command
from apps.chat.services import open_session
from apps.events import log
from apps.swarm.definition import parse
from apps.swarm.models import Run
from apps.swarm.services import load_project
from apps.tasks.api import TaskList
from project.files import version
from tests.pages.conftest import say

pytestmark = pytest.mark.django_db

PLACES = ["/", "/projects/", "/tasks/", "/agents/", "/chat/"]


@pytest.fixture
def everywhere(run, agent, session):
    return [
        *PLACES,
        f"/projects/{run.project_id}/",
        f"/runs/{run.pk}/",
        f"/agents/{agent.pk}/",
        f"/chat/{session.pk}/",
    ]


def test_every_page_is_shown_to_members_with_the_widget_and_a_place_for_notices(browser, alice, everywhere):
    for path in everywhere:
        answer = browser(alice).get(path)
        assert answer.status_code == 200, path
        assert answer.text.count("<connection-status") == 1, path
        assert answer.text.count("<toast-list") == 1, path
        assert "js/websocket.js" in answer.text, path
        assert answer.headers["Cache-Control"] == "private, no-cache", path


def test_pages_before_the_login_have_no_widget_and_no_script(browser):
    for path in ("/", "/login/"):
        answer = browser().get(path)
        assert answer.status_code == 200
        assert "connection-status" not in answer.text
        assert "<script" not in answer.text


def test_without_a_login_one_is_sent_to_it_and_back(browser, everywhere):
    for path in everywhere[1:]:
        answer = browser().get(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/login/?next={path}")


def test_a_stranger_gets_the_same_as_for_nothing(browser, mallory, everywhere):
    for path in everywhere[len(PLACES) :]:
        theirs = browser(mallory).get(path)
        nobodys = browser(mallory).get(re.sub(r"[0-9a-f-]{36}", "00000000-0000-4000-8000-000000000000", path))
        assert theirs.status_code == nobodys.status_code == 404, path
        assert theirs.text == nobodys.text, path
        assert "connection-status" not in theirs.text


@pytest.mark.parametrize("credentials", ["Bearer neither a key nor a token", "Bearer {key}"])
def test_a_page_is_for_who_is_logged_in_whatever_else_the_request_brings(
    browser, mallory, admin_user, run, agent_key, credentials
):
    headers = {"authorization": credentials.format(key=agent_key.secret)}
    page = browser(mallory).get("/projects/", headers=headers)
    assert (page.status_code, "Check" in page.text) == (200, False)
    assert browser(mallory).get(f"/runs/{run.pk}/", headers=headers).status_code == 404
    assert browser(admin_user).get("/admin/", headers=headers).status_code == 200


def test_lists_show_a_stranger_nothing_of_others(browser, mallory, run, agent, session):
    for path in PLACES:
        text = browser(mallory).get(path).text
        assert "Check" not in text
        assert "box-1" not in text
        assert "Release" not in text


def test_a_person_without_any_team_sees_empty_pages(browser, django_user_model):
    loner = django_user_model.objects.create_user("loner")
    for path in PLACES:
        assert browser(loner).get(path).status_code == 200


def test_no_page_has_inline_script_or_style(browser, alice, everywhere):
    for path in everywhere:
        answer = browser(alice).get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|javascript:", answer.text), path
        scripts = re.findall(r"<script[^>]*>", answer.text)
        assert all("src=" in tag or 'type="application/json"' in tag for tag in scripts), path


def test_a_page_says_up_to_which_event_it_is_true(browser, alice, bob, session):
    topic = f"chat.{session.pk}"
    say(alice, "message", topic, content="Hello")
    at = log.read_after(topic, 0)
    page = browser(alice).get(f"/chat/{session.pk}/").text
    assert f'data-topic="{topic}" data-epoch="{at.epoch}" data-seq="{at.head}"' in page


def test_what_people_wrote_is_text(browser, alice, run, session):
    say(alice, "message", f"chat.{session.pk}", content="<script>alert(1)</script>")
    say(alice, "task:submit", f"team.{run.team_id}", query="echo <img src=x>")
    texts = [browser(alice).get(path).text for path in (f"/chat/{session.pk}/", f"/runs/{run.pk}/", "/tasks/", "/")]
    for text in texts:
        assert not re.search(r"<script>|<img src=x>|<b>\s*<|lint <b>|Release <i>", text)


def test_a_viewer_is_not_offered_what_they_may_not_do(browser, victor, alice, bob, run):
    assert "Cancel run" in browser(bob).get(f"/runs/{run.pk}/").text
    assert "Cancel run" not in browser(victor).get(f"/runs/{run.pk}/").text
    for path, offer in [("/projects/", 'data-action="run"'), ("/tasks/", "Hand out"), ("/chat/", "Start a session")]:
        assert offer in browser(bob).get(path).text
        assert offer not in browser(victor).get(path).text


def test_the_transport_can_be_switched(browser, alice, settings):
    assert 'data-transport="auto"' in browser(alice).get("/tasks/").text
    assert 'data-transport="poll"' in browser(alice).get("/tasks/?transport=poll").text
    assert 'data-transport="auto"' in browser(alice).get("/tasks/?transport=%22%3E").text
    settings.ENABLE_WEBSOCKET = False
    assert 'data-transport="poll"' in browser(alice).get("/tasks/").text


def test_the_dashboard_gives_the_part_that_its_script_replaces(browser, alice, run):
    part = browser(alice).get("/?part=overview").text
    assert "Check" in part
    assert "<html" not in part


def test_every_agent_can_be_reached(browser, alice, mallory, team):
    names = [f"agent-{number:02}" for number in range(60)]
    Agent.objects.bulk_create(Agent(team=team, name=name) for name in names)

    def shown(query, who=alice):
        text = browser(who).get(f"/agents/{query}").text
        return re.findall(r'aria-label="Agent ([^"]+)"', text), text

    pages = [shown(f"?page={number}") for number in (1, 2, 3)]
    assert [name for found, _ in pages for name in found] == names
    assert "25–48 of 60 agents" in pages[1][1]
    assert 'href="?page=1"' in pages[1][1]
    assert 'href="?page=3"' in pages[1][1]
    assert shown("?page=nonsense")[0] == pages[0][0]
    assert shown("?page=99&part=list")[0] == pages[2][0]
    assert shown("?find=AGENT 57")[0] == ["agent-57"]
    assert "No agent here has “&lt;b&gt;” in its name" in shown("?find=<b>")[1]
    assert 'href="?find=agent&amp;page=2"' in shown("?find=agent&part=list")[1]
    assert shown("?find=agent", mallory)[0] == []


@pytest.mark.parametrize("place", ["/agents/", "/projects/", "/chat/"])
def test_a_longer_list_asks_the_database_no_more_often(browser, alice, team, everywhere, place):
    hers = browser(alice)
    hers.get(place)
    with CaptureQueriesContext(connection) as few:
        hers.get(place)
    for number in range(5):
        Agent.objects.create(team=team, name=f"box-{number + 2}", accepts=["shell"])
        steps = [{"name": "lint", "run": "make lint", "label": "local"}]
        project = load_project(team, parse({"name": f"Check {number}", "stages": [{"name": "one", "steps": steps}]}))
        say(alice, "run:start", f"team.{team.pk}", project_id=str(project.pk))
        open_session(Actor(user=alice), team=team, title="Another")
    with CaptureQueriesContext(connection) as many:
        hers.get(place)
    assert len(many) == len(few)


def test_what_an_agent_was_asked_says_when_and_which_try(browser, alice, agent, team):
    asked = request_command(team_id=team.pk, agent=agent.name, spec={"shell": "make"}, attempt=2)
    text = browser(alice).get(f"/agents/{agent.pk}/").text
    assert ">try 2<" in text
    assert f'datetime="{asked.created_at.isoformat()}"' in text


def test_an_agents_memory_is_written_as_its_card_goes_on_to_write_it(browser, alice, agent):
    Agent.objects.filter(pk=agent.pk).update(metrics={"cpu_percent": 3, "rss_bytes": 29_569_843})
    assert ">28 MB<" in browser(alice).get("/agents/").text


def test_only_of_who_is_away_one_says_when_it_was_seen(browser, alice, agent):
    Agent.objects.filter(pk=agent.pk).update(seen_at=timezone.now())
    assert '<span id="seen" hidden>' in browser(alice).get(f"/agents/{agent.pk}/").text
    Agent.objects.filter(pk=agent.pk).update(status="offline")
    assert '<span id="seen"> · last seen' in browser(alice).get(f"/agents/{agent.pk}/").text


def test_a_project_says_when_its_runs_began_and_how_long_they_took(browser, alice, run):
    Run.objects.filter(pk=run.pk).update(status="completed", ended_at=run.started_at + timedelta(seconds=9))
    text = browser(alice).get(f"/projects/{run.project_id}/").text
    assert f"{run.started_at:%Y-%m-%d %H:%M}</time-at>" in text
    assert re.search(r'<time-span [^>]*from="[^"]+" to="[^"]+">', text)


def test_a_run_gives_the_cards_of_its_agents_with_their_cursors(browser, alice, run, agent):
    part = browser(alice).get(f"/runs/{run.pk}/?part=agents").text
    at = log.read_after(f"agent.{agent.pk}", 0)
    assert f'data-topic="agent.{agent.pk}" data-epoch="{at.epoch}" data-seq="{at.head}"' in part
    assert "make lint" in part
    assert "<html" not in part


def test_static_files_that_pages_name_are_there(browser, alice, everywhere):
    from django.contrib.staticfiles import finders

    named = {name for path in everywhere for name in re.findall(r'"/static/([^"]+)"', browser(alice).get(path).text)}
    named = {re.sub(rf"^v-{version()}/", "", name) for name in named}
    assert settings.STATIC_URL == "/static/"
    assert {name for name in named if not finders.find(name)} == set()


def test_the_theme_is_in_the_page_and_only_a_known_one(browser):
    client = browser()
    for given, written in [("dark", True), ("light", True), ('"><b>', False), ("", False)]:
        client.cookies["theme"] = given
        assert (f'data-theme="{given}"' in client.get("/login/").text) is written
        assert "<b>" not in client.get("/login/").text


def test_pages_that_say_no_are_ours(browser, alice):
    answer = browser(alice).get("/nothing/")
    assert (answer.status_code, "Nothing here" in answer.text) == (404, True)
    strict = Client(enforce_csrf_checks=True)
    assert "This page was too old" in strict.post("/login/").text
    for name in ("400", "403", "500"):
        assert "To the start" in render_to_string(f"{name}.html")


def test_programs_are_told_in_the_shape_of_every_refusal(alice, monkeypatch):
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(alice).access}")
    nowhere = client.get("/api/v1/nothing/")
    assert (nowhere.status_code, nowhere.json()["error"]["code"]) == (404, "not_found")
    unreadable = client.get("/api/v1/tasks/", headers={"host": "a b"})
    assert (unreadable.status_code, unreadable.json()["error"]["code"]) == (400, "invalid")
    monkeypatch.setattr(TaskList, "list", lambda *args, **kwargs: 1 / 0)
    failed = client.get("/api/v1/tasks/")
    assert (failed.status_code, failed.json()["error"]["code"]) == (503, "unavailable")


def test_the_menu_names_a_person_once_and_leads_to_the_rest_interface(browser, alice, bob):
    assert '<span class="muted small">alice</span>' not in browser(alice).get("/").text
    assert 'href="/api/v1/docs/"' in browser(alice).get("/tasks/").text
    User.objects.filter(pk=bob.pk).update(first_name="Bob", last_name="Builder")
    assert '<span class="muted small">bob</span>' in browser(bob).get("/").text


def test_the_admin_has_an_icon(browser, alice):
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    for path in ("/admin/", "/admin/tasks/task/", "/admin/accounts/user/add/"):
        assert 'rel="icon"' in browser(alice).get(path).text, path


def test_where_there_is_no_page_the_others_are_a_click_away(browser, alice):
    assert '<a href="/tasks/">Tasks</a>' in browser(alice).get("/nothing/").text
    assert "/tasks/" not in browser().get("/nothing/").text


def test_sessions_are_listed_by_their_last_words(browser, alice, session, team):
    younger = open_session(Actor(user=alice), team=team, title="Younger")
    say(alice, "message", f"chat.{session.pk}", content="Last words")
    page = browser(alice).get("/chat/").text
    assert page.index("Release") < page.index("Younger")
    assert "Last words" in page
    assert f'data-topic="chat.{younger.pk}"' in page
