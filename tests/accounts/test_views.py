import re

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry

from .conftest import PASSWORD


def test_the_login_page_is_made_for_people_and_password_managers(client, db):
    page = client.get("/login/").content.decode()
    assert re.search(r'<label for="id_username">', page) and re.search(r'<label for="id_password">', page)
    assert 'autocomplete="username"' in page and 'autocomplete="current-password"' in page
    assert "<style" not in page and not re.search(r"\son\w+=|\sstyle=", page)


def test_a_right_password_leads_to_where_one_wanted_to_go(client, alice):
    answer = client.post("/login/", {"username": "alice", "password": PASSWORD, "next": "/somewhere/"})
    assert (answer.status_code, answer["Location"]) == (302, "/somewhere/")
    assert client.get("/api/v1/teams/").status_code == 200


def test_it_leads_nowhere_outside(client, alice):
    answer = client.post("/login/", {"username": "alice", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/"


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"username": "<b>nobody</b>"}])
def test_a_wrong_password_is_explained_to_everybody(client, alice, wrong):
    answer = client.post("/login/", {"username": "alice", "password": PASSWORD} | wrong)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'role="alert"' in page and 'aria-invalid="true"' in page
    assert "<b>nobody" not in page and PASSWORD not in page


def test_after_a_wrong_password_the_password_is_typed_again(client, alice):
    def focused(page):
        return re.findall(r'<input[^>]*name="(\w+)"[^>]* autofocus', page)

    assert focused(client.get("/login/").text) == ["username"]
    page = client.post("/login/", {"username": "alice", "password": "wrong"}).text
    assert focused(page) == ["password"] and 'value="alice"' in page


@pytest.mark.parametrize(
    "body", [{}, {"username": "a\x00b", "password": "c"}, {"username": "x" * 5000, "password": "y"}]
)
def test_odd_input_is_just_wrong(client, db, body):
    answer = client.post("/login/", body)
    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.content.decode()


def test_who_is_logged_in_need_not_log_in(browser, alice):
    assert browser(alice).get("/login/")["Location"] == "/"


def test_a_logout_says_so_and_is_told(browser, alice, told, committing):
    here = browser(alice)
    session_key = here.session.session_key
    with committing():
        answer = here.post("/logout/", follow=True)
    assert answer.redirect_chain == [("/login/", 302)]
    assert "You are logged out." in answer.content.decode()
    assert [revocation.session_key for revocation in told] == [session_key]
    assert AuditEntry.objects.filter(action="logout", sender=f"user:{alice.pk}").exists()


def test_a_logout_through_the_admin_is_told_too(browser, admin_user, told, committing):
    here = browser(admin_user)
    session_key = here.session.session_key
    with committing():
        here.post("/admin/logout/")
    assert [revocation.session_key for revocation in told] == [session_key]


@pytest.mark.parametrize("path", ["/logout/", "/admin/logout/"])
def test_a_logout_takes_back_what_the_browser_has_kept(browser, admin_user, path):
    here = browser(admin_user)
    here.get("/")
    assert here.cookies["login"].value == mark_of_page(here.get("/tasks/"))
    answer = here.post(path)
    assert answer["Clear-Site-Data"] == '"cache"'
    assert answer.cookies["login"].value == ""


def test_each_login_has_a_mark_of_its_own(browser, alice):
    one, other = browser(alice), browser(alice)
    assert mark_of_page(one.get("/")) == mark_of_page(one.get("/")) != mark_of_page(other.get("/"))


def mark_of_page(answer):
    [mark] = re.findall(r'data-session="(\w+)"', answer.text)
    return mark


def test_a_link_cannot_log_anybody_out(browser, alice):
    here = browser(alice)
    assert here.get("/logout/").status_code == 405
    assert here.get("/api/v1/teams/").status_code == 200


def test_a_foreign_page_can_neither_log_in_nor_out(alice):
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/login/", {"username": "alice", "password": PASSWORD}).status_code == 403
    browser.force_login(alice)
    assert browser.post("/logout/").status_code == 403
