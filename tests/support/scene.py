"""A team with something to see on every page, written into a live server's database."""

from datetime import timedelta
from uuid import UUID, uuid4


def fill(team: str, user: int) -> dict[str, str]:
    """An agent at work, a run, tasks in every state, and a conversation. Gives the pages' addresses."""
    from django.db import transaction

    from apps.accounts.actors import Actor
    from apps.accounts.models import Team, User
    from apps.agents.contract import TeamTopic
    from apps.agents.models import Agent
    from apps.chat.contract import ChatTopic, PostMessage
    from apps.chat.services import open_session, post_message
    from apps.swarm.contract import StartRun
    from apps.swarm.definition import parse
    from apps.swarm.services import load_project, start_run
    from apps.tasks.models import Status

    here, actor = Team.objects.get(pk=team), Actor(user=User.objects.get(pk=user))
    agent = Agent.objects.create(team=here, name="box-1", status="online", labels=["build"], accepts=["shell"], slots=2)
    Agent.objects.create(team=here, name="box-2", status="offline", labels=["ios"], accepts=["shell"])
    steps = [
        {"name": "Lint", "run": "ruff check .", "label": "nobody"},
        {"name": "Tests", "run": "pytest", "agent": "box-1"},
    ]
    project = load_project(here, parse({"name": "Release", "stages": [{"name": "Check", "steps": steps}]}))
    with transaction.atomic():
        started = start_run(actor, TeamTopic(team_id=here.pk), StartRun(project_id=project.pk))
    session = open_session(actor, team=here, title="Release")
    with transaction.atomic():
        post_message(actor, ChatTopic(session_id=session.pk), PostMessage(content="Is it green?"))
    tasks = {status.value: str(task(team, user, status.value)) for status in Status}
    printed(tasks["completed"], str(agent.pk), "12 passed\n")
    return {
        "dashboard": "/",
        "projects": "/projects/",
        "project": f"/projects/{project.pk}/",
        "run": f"/runs/{started.payload['run_id']}/",
        "tasks": "/tasks/",
        "task": f"/tasks/{tasks['completed']}/",
        "waiting task": f"/tasks/{tasks['queued']}/",
        "agents": "/agents/",
        "agent": f"/agents/{agent.pk}/",
        "chats": "/chat/",
        "chat": f"/chat/{session.pk}/",
    }


def agents(team: str, names: list[str]) -> None:
    """Agents of these names are there, new or not, and the team is told."""
    from django.db import transaction

    from apps.agents.models import Agent
    from apps.agents.services.commands import announce

    for name in names:
        with transaction.atomic():
            agent, is_new = Agent.objects.get_or_create(team_id=team, name=name, defaults={"status": "online"})
            announce(agent, "registered" if is_new else "updated")


def talk(topic: str, user: int, contents: list[str]) -> None:
    """Somebody says all of this at once, faster than a client may."""
    from django.db import transaction

    from apps.accounts.actors import Actor
    from apps.accounts.models import User
    from apps.chat.contract import ChatTopic, PostMessage
    from apps.chat.services import post_message

    actor = Actor(user=User.objects.get(pk=user))
    room = ChatTopic(session_id=UUID(topic.removeprefix("chat.")))
    with transaction.atomic():
        for content in contents:
            post_message(actor, room, PostMessage(content=content))


def task(team: str, user: int, status: str, query: str = "make lint") -> UUID:
    """A task in this state, and the event that says so."""
    from django.db import transaction
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.tasks import life
    from apps.tasks.models import ENDED, Task

    now = timezone.now()
    person = User.objects.get(pk=user)
    exit_code = {"completed": 0, "failed": 2}.get(status)
    with transaction.atomic():
        made = Task.objects.create(
            team_id=team,
            author=person,
            author_name=person.display_name,
            query=f"{query} {status}",
            spec={"shell": query},
            status=status,
            agent_name="box-1",
            attempt=1,
            created_at=now - timedelta(minutes=2),
            started_at=None if status == "queued" else now - timedelta(minutes=1),
            ended_at=now if status in ENDED else None,
            result={"exit_code": exit_code, "error": "It broke." if status == "failed" else ""},
        )
        life.tell(made)
    return made.pk


def end_task(task_id: str, status: str) -> None:
    """It has ended like this."""
    from django.db import transaction
    from django.utils import timezone

    from apps.tasks import life
    from apps.tasks.models import Task

    with transaction.atomic():
        found = Task.objects.get(pk=task_id)
        found.status, found.ended_at = status, timezone.now()
        found.result = {"exit_code": 0 if status == "completed" else 1, "error": ""}
        found.save()
        life.tell(found)


def printed(task_id: str, agent_id: str, text: str) -> None:
    """The task's command printed this on the agent's terminal, between what others print."""
    from django.db import transaction
    from django.utils import timezone

    from apps.agents.contract import TerminalPrinted, TerminalTopic
    from apps.agents.models import Command
    from apps.events import log
    from apps.tasks.models import Task

    found = Task.objects.get(pk=task_id)
    topic = TerminalTopic(agent_id=UUID(agent_id))
    command = Command.objects.create(
        team_id=found.team_id,
        agent_id=agent_id,
        agent_name="box-1",
        purpose="task",
        spec=found.spec,
        context={"task_id": task_id},
        status="succeeded",
    )
    for command_id, words in [(uuid4(), "somebody else's\n"), (command.pk, text), (uuid4(), "not ours\n")]:
        if not words:
            continue
        with transaction.atomic():
            log.append(topic, TerminalPrinted(command_id=command_id, offset=0, text=words))
    Command.objects.filter(pk=command.pk).update(ended_at=timezone.now())
