from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts import services, tickets
from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.authentication import actor_from_bearer, actor_from_session, actor_from_ticket
from apps.accounts.models import Ticket, User
from apps.accounts.refusals import Unauthenticated


def test_a_ticket_lets_its_holder_in(alice, as_api):
    answer = as_api(alice).post("/api/v1/ws/ticket")
    assert answer.status_code == 201
    assert answer.json()["expires_in"] == 60
    assert answer["Cache-Control"] == "no-store"
    assert actor_from_ticket(answer.json()["ticket"]).user == alice


def test_a_ticket_works_once(alice):
    ticket = tickets.issue(Actor(user=alice))
    actor_from_ticket(ticket)
    with pytest.raises(Unauthenticated):
        actor_from_ticket(ticket)


def test_an_expired_ticket_does_not_work(alice):
    ticket = tickets.issue(Actor(user=alice))
    Ticket.objects.update(expires_at=timezone.now())
    with pytest.raises(Unauthenticated):
        actor_from_ticket(ticket)
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("nonsense", ["", "x", "x" * 100_000, "\x00", "\ud800", "ü"])
def test_it_refuses_nonsense(db, nonsense):
    with pytest.raises(Unauthenticated):
        actor_from_ticket(nonsense)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_come_at_once_one_gets_in():
    alice = User.objects.create_user("alice")
    ticket = tickets.issue(Actor(user=alice))

    def come(_: int) -> bool:
        try:
            return actor_from_ticket(ticket).user == alice
        except Unauthenticated:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(come, range(24))) == 1


def test_only_a_hash_is_kept(alice):
    ticket = tickets.issue(Actor(user=alice))
    assert ticket not in str(Ticket.objects.values().get())


def test_a_ticket_carries_on_what_its_holders_login_hangs_on(alice, agent_key, browser):
    from apps.accounts import tokens

    for actor in (
        actor_from_bearer(tokens.issue(alice).access),
        actor_from_session(browser(alice).session.session_key),
        actor_from_bearer(agent_key.secret),
    ):
        assert actor_from_ticket(tickets.issue(actor)) == actor


def test_a_ticket_of_a_login_that_has_ended_does_not_work(alice, browser):
    here = browser(alice)
    ticket = here.post("/api/v1/ws/ticket").json()["ticket"]
    here.post("/logout/")
    with pytest.raises(Unauthenticated):
        actor_from_ticket(ticket)


def test_a_ticket_of_a_deactivated_user_does_not_work(alice):
    ticket = tickets.issue(Actor(user=alice))
    services.deactivate_user(SYSTEM, user=alice)
    with pytest.raises(Unauthenticated):
        actor_from_ticket(ticket)


def test_old_tickets_are_swept_away(alice):
    tickets.issue(Actor(user=alice))
    Ticket.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    tickets.issue(Actor(user=alice))
    assert Ticket.objects.count() == 1


def test_nobody_gets_no_ticket(as_api, db):
    answer = as_api().post("/api/v1/ws/ticket")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthenticated"
