"""What can be done with agents and commands."""

from apps.agents.services.commands import interrupt, lock_team, request_command
from apps.agents.services.presence import connect_agent, delete_agent
from apps.agents.services.reports import print_output, report_command
from apps.agents.services.sweeping import sweep

__all__ = [
    "connect_agent",
    "delete_agent",
    "interrupt",
    "lock_team",
    "print_output",
    "report_command",
    "request_command",
    "sweep",
]
