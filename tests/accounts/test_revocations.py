import pytest
from django.db import transaction

from apps.accounts import revocations
from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.revocations import Revocation, on_revoked, revoked


def test_it_is_told_when_the_transaction_has_committed(db, told, committing):
    with committing(), transaction.atomic():
        revoked(user_id=1)
        assert told == []
    assert told == [Revocation(user_id=1)]


def test_it_is_not_told_when_the_transaction_is_rolled_back(db, told, committing):
    with committing(), pytest.raises(ZeroDivisionError), transaction.atomic():
        revoked(user_id=1)
        raise ZeroDivisionError
    assert told == []


def test_a_listener_that_fails_does_not_keep_it_from_the_others(db, told, committing):
    def fail(revocation: Revocation) -> None:
        raise ZeroDivisionError

    revocations._listeners.insert(0, fail)
    with committing():
        revoked(key_prefix="abc")
    assert told == [Revocation(key_prefix="abc")]


def test_a_listener_is_told_once_however_often_it_subscribes(told):
    listener = revocations._listeners[0]
    on_revoked(listener)
    assert revocations._listeners == [listener]


@pytest.mark.parametrize("nobody", [{}, {"team_id": "1"}, {"session_key": ""}])
def test_it_must_say_whose_access_it_is_about(nobody):
    with pytest.raises(ValueError):
        revoked(**nobody)


def test_it_concerns_those_who_hold_the_credentials(alice, bob, agent_key):
    here = Actor(user=alice, session_key="s1")
    there = Actor(user=alice, family="f1")
    agent = Actor(key=agent_key)
    everybody = [here, there, Actor(user=bob), agent, SYSTEM]

    def concerned(**whose):
        return [actor for actor in everybody if Revocation(**whose).concerns(actor)]

    assert concerned(user_id=alice.pk) == [here, there]
    assert concerned(user_id=alice.pk, team_id=agent_key.team_id) == [here, there]
    assert concerned(session_key="s1") == [here]
    assert concerned(family="f1") == [there]
    assert concerned(key_prefix=agent_key.prefix) == [agent]
