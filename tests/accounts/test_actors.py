from dataclasses import FrozenInstanceError, replace

import pytest

from apps.accounts.actors import SYSTEM, Actor


def test_each_speaker_has_a_stable_sender(alice, agent_key):
    assert Actor(user=alice).sender == f"user:{alice.pk}"
    assert Actor(key=agent_key).sender == f"key:{agent_key.prefix}"
    assert SYSTEM.sender == "system"


def test_each_speaker_has_a_name_people_know(alice, agent_key):
    assert Actor(user=alice).name == "alice"
    alice.first_name, alice.last_name = "Alice", "Liddell"
    assert Actor(user=alice).name == "Alice Liddell"
    assert Actor(key=agent_key).name == agent_key.name


def test_a_speaker_is_a_person_an_agent_or_the_server(alice, agent_key):
    assert Actor(key=agent_key).is_agent and not Actor(user=alice).is_agent and not SYSTEM.is_agent
    assert SYSTEM.is_system and not Actor(user=alice).is_system and not Actor(key=agent_key).is_system


def test_only_active_staff_is_staff(admin_user, alice, agent_key):
    assert Actor(user=admin_user).is_staff
    assert not any(actor.is_staff for actor in (Actor(user=alice), Actor(key=agent_key), SYSTEM))
    admin_user.is_active = False
    assert not Actor(user=admin_user).is_staff


def test_nobody_changes_who_speaks(alice):
    actor = Actor(user=alice)
    with pytest.raises(FrozenInstanceError):
        actor.user = None
    assert replace(actor, connection="c1").connection == "c1"
    assert hash(actor) == hash(Actor(user=alice))
