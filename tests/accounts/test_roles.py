import pytest

from apps.accounts.roles import HUMAN_ROLES, Role, permits


@pytest.mark.parametrize("have", HUMAN_ROLES)
@pytest.mark.parametrize("need", HUMAN_ROLES)
def test_a_higher_role_may_do_what_a_lower_one_may(have, need):
    assert permits(have, need) == (have >= need)


@pytest.mark.parametrize("need", Role)
def test_a_stranger_may_do_nothing(need):
    assert not permits(None, need)


@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_agents_and_people_do_not_stand_in_for_each_other(role):
    assert not permits(Role.AGENT, role)
    assert not permits(role, Role.AGENT)
    assert permits(Role.AGENT, Role.AGENT)
