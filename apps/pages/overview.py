"""What the dashboard shows: what runs, what waits, what failed, who is there, and how busy it all is."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, F, QuerySet, Value
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.agents.models import Agent
from apps.agents.selectors import agents_of
from apps.pages import gauge
from apps.swarm import selectors as swarm
from apps.swarm.models import Run, RunStatus
from apps.tasks.models import Status, Task
from apps.tasks.selectors import tasks_of

RECENT = 6
HOURS = 24


def overview(actor: Actor, teams: list[Team]) -> dict[str, Any]:
    """All of it, for these teams; the load is the whole installation's."""
    gauge.read()
    runs = swarm.runs_of(actor).filter(team__in=teams)
    tasks = tasks_of(actor).filter(team__in=teams)
    agents = list(agents_of(actor).filter(team__in=teams))
    running = Run.objects.filter(team__in=teams, status=RunStatus.RUNNING).count()
    return {
        "numbers": {"runs_running": running, **_numbers(tasks)},
        "runs": [swarm.summary_of(run) for run in _running_first(runs)],
        "tasks": [task.as_data() for task in _open_first(tasks.filter(purpose=""))],
        "failures": _failures(runs, tasks),
        **_agents(agents),
        **_load(),
        **_ended(tasks),
    }


def _numbers(tasks: QuerySet[Task]) -> dict[str, int]:
    return {
        "tasks_running": tasks.filter(status=Status.RUNNING).count(),
        "tasks_queued": tasks.filter(status=Status.QUEUED).count(),
        "tasks_failed": tasks.filter(status=Status.FAILED, ended_at__gte=_yesterday()).count(),
    }


def _running_first(runs: QuerySet[Run]) -> list[Run]:
    going = list(runs.filter(status=RunStatus.RUNNING)[:RECENT])
    return going + list(runs.exclude(status=RunStatus.RUNNING)[: RECENT - len(going)])


def _open_first(tasks: QuerySet[Task]) -> list[Task]:
    still_open = [Status.RUNNING, Status.QUEUED]
    going = list(tasks.filter(status__in=still_open).order_by(F("started_at").desc(nulls_last=True))[:RECENT])
    return going + list(tasks.exclude(status__in=still_open)[: RECENT - len(going)])


def _failures(runs: QuerySet[Run], tasks: QuerySet[Task]) -> list[dict[str, Any]]:
    """What failed since yesterday and has a place to look at, newest first: runs, and tasks of their own."""
    failed_runs = runs.filter(status=RunStatus.FAILED, ended_at__gte=_yesterday())[:RECENT]
    failed_tasks = tasks.filter(status=Status.FAILED, ended_at__gte=_yesterday(), purpose="").order_by("-ended_at")[
        :RECENT
    ]
    found = [{"run": summary, "at": summary["ended_at"]} for summary in map(swarm.summary_of, failed_runs)]
    found += [{"task": data, "at": data["ended_at"]} for data in (task.as_data() for task in failed_tasks)]
    return sorted(found, key=lambda failure: failure["at"], reverse=True)[:RECENT]


def _agents(agents: list[Agent]) -> dict[str, Any]:
    """Who is there, busy ones first, and how many of them in each state."""
    order = [Agent.Status.ONLINE, Agent.Status.AWAY, Agent.Status.OFFLINE]
    online = [agent for agent in agents if agent.is_online]
    counts = [sum(agent.status == status for agent in agents) for status in order]
    return {
        "agents": sorted(agents, key=lambda agent: (order.index(Agent.Status(agent.status)), agent.name))[: RECENT + 2],
        "agents_total": len(agents),
        "agents_by_state": [
            {"status": status.value, "count": count, "before": sum(counts[:n])}
            for n, (status, count) in enumerate(zip(order, counts, strict=True))
        ],
        "slots": sum(agent.slots for agent in online),
        "slots_busy": sum(min(agent.busy, agent.slots) for agent in online),  # type: ignore[attr-defined]
    }


def _load() -> dict[str, Any]:
    taken = gauge.readings()
    rates = gauge.rates(taken)
    return {
        "connections": taken[-1].connections if taken else 0,
        "rate": rates[-1][1] if rates else 0,
        "rates": json.dumps([[at for at, _ in rates], [rate for _, rate in rates]]),
        "peak": max((rate for _, rate in rates), default=0),
    }


def _ended(tasks: QuerySet[Task]) -> dict[str, Any]:
    """How many tasks ended well and how many failed in each hour of the last day."""
    this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - timedelta(hours=HOURS - 1 - n) for n in range(HOURS)]
    # A range of the index for each hour: SQLite would ask Python for the hour of every single task.
    first, *others = (_ended_from(tasks, hour, hour + timedelta(hours=1)) for hour in hours)
    counts = {(hour, status): count for hour, status, count in first.union(*others, all=True)}
    completed = [counts.get((hour, Status.COMPLETED), 0) for hour in hours]
    failed = [counts.get((hour, Status.FAILED), 0) for hour in hours]
    return {
        "ended": json.dumps([[hour.timestamp() for hour in hours], completed, failed]),
        "ended_well": sum(completed),
        "ended_badly": sum(failed),
    }


def _ended_from(tasks: QuerySet[Task], start: datetime, end: datetime) -> QuerySet[Task, tuple[datetime, str, int]]:
    """(start, status, how many) for each way in which tasks ended between these times."""
    ended = tasks.filter(status__in=[Status.COMPLETED, Status.FAILED], ended_at__gte=start, ended_at__lt=end)
    hour = Value(start, output_field=DateTimeField())
    return ended.order_by().annotate(hour=hour).values_list("hour", "status").annotate(count=Count("pk"))


def _yesterday() -> datetime:
    return timezone.now() - timedelta(days=1)
