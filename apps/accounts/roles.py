"""What somebody may do in a team."""

from enum import IntEnum


class Role(IntEnum):
    """A viewer reads, an operator commands, an owner manages. An agent only does an agent's work."""

    VIEWER = 1
    OPERATOR = 2
    OWNER = 3
    AGENT = 9


HUMAN_ROLES = (Role.VIEWER, Role.OPERATOR, Role.OWNER)


def permits(have: Role | None, need: Role) -> bool:
    """Whether one who is `have` may do what asks for `need`; agents and people never stand in for each other."""
    if have is None:
        return False
    if Role.AGENT in (have, need):
        return have == need
    return have >= need
