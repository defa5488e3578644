"""Rows of the scene that could not happen in time: people, projects, and a day of work that is over."""

import random
from datetime import timedelta
from typing import Any

PROJECTS: list[dict[str, Any]] = [
    {
        "name": "Release 1.4",
        "description": "Checks, builds and evaluates the shop, then rolls it out to staging.",
        "stages": [
            {
                "name": "Check",
                "steps": [
                    {"name": "Lint", "run": "ruff check shop", "label": "build"},
                    {"name": "Tests", "run": "pytest -q tests", "label": "build"},
                ],
            },
            {
                "name": "Build",
                "steps": [
                    {"name": "Image", "run": "docker build -t shop:1.4.0 .", "label": "build"},
                    {"name": "Evaluate search", "run": "evaluate search --shards 16", "agent": "gpu-1"},
                ],
            },
            {"name": "Roll out", "steps": [{"name": "Staging", "run": "deploy staging", "label": "deploy"}]},
        ],
    },
    {
        "name": "Nightly checks",
        "description": "Everything that takes too long for every push.",
        "stages": [
            {
                "name": "Check",
                "steps": [
                    {"name": "Lint", "run": "ruff check .", "label": "build"},
                    {"name": "Tests", "run": "pytest -q tests --slow", "label": "build"},
                ],
            },
            {"name": "Roll out", "steps": [{"name": "Preview", "run": "deploy preview", "label": "deploy"}]},
        ],
    },
    {
        "name": "Payments",
        "description": "The payment service against the bank's sandbox.",
        "stages": [
            {"name": "Test", "steps": [{"name": "Refunds", "run": "pytest -q tests/payments", "label": "build"}]},
            {"name": "Roll out", "steps": [{"name": "Sandbox", "run": "deploy sandbox", "label": "deploy"}]},
        ],
    },
]


def scene() -> dict[str, Any]:
    """A team with three people, an agents' key and projects. Gives their ids."""
    from apps.accounts.models import Membership, Team, User
    from apps.accounts.roles import Role
    from apps.swarm.definition import parse
    from apps.swarm.services import load_project
    from tests.support.seed import make_key

    team = Team.objects.create(name="Shop")
    people = {}
    for username, first, last, role in [
        ("ada", "Ada", "Brandt", Role.OWNER),
        ("ben", "Ben", "Osei", Role.OPERATOR),
        ("chen", "Chen", "Lin", Role.OPERATOR),
    ]:
        user = User.objects.create_user(
            username, password="a long walk on the platform", first_name=first, last_name=last
        )
        Membership.objects.create(team=team, user=user, role=role)
        people[username] = user.pk
    projects = {plan["name"]: str(load_project(team, parse(plan)).pk) for plan in PROJECTS}
    return {
        "team": str(team.pk),
        "people": people,
        "projects": projects,
        "key": make_key("agents", str(team.pk))["token"],
    }


def yesterday(team: str) -> None:
    """A day of tasks that have ended, more of them in the afternoon."""
    from django.utils import timezone

    from apps.tasks.models import Status, Task

    dice = random.Random(4)
    now = timezone.now()
    lines = ["pytest -q tests", "ruff check shop", "docker build -t shop:dev .", "deploy preview", "git gc --auto"]
    tasks = []
    for hour in range(2, 24):
        for _ in range(dice.randint(2, 14) if hour < 12 else dice.randint(0, 5)):
            ended = now - timedelta(hours=hour, minutes=dice.randint(0, 59))
            failed = dice.random() < 0.09
            tasks.append(
                Task(
                    team_id=team,
                    author_name=dice.choice(["Ada Brandt", "Ben Osei", "Chen Lin"]),
                    query=dice.choice(lines),
                    agent_name=dice.choice(["build-1", "build-2"]),
                    status=Status.FAILED if failed else Status.COMPLETED,
                    result={"exit_code": 1 if failed else 0, "error": ""},
                    purpose="step" if failed else "",
                    progress=0 if failed else 100,
                    attempt=1,
                    created_at=ended - timedelta(seconds=dice.randint(20, 90)),
                    started_at=ended - timedelta(seconds=dice.randint(4, 18)),
                    ended_at=ended,
                )
            )
    Task.objects.bulk_create(tasks)


def chat(team: str, people: dict[str, int]) -> str:
    """Two sessions, one of them with yesterday's and today's talk. Gives its id."""
    from django.db import transaction
    from django.utils import timezone

    from apps.accounts.actors import Actor
    from apps.accounts.models import Team, User
    from apps.chat.contract import AddMember, ChatTopic, PostMessage
    from apps.chat.models import Message
    from apps.chat.services import add_member, open_session, post_message

    ada, ben, chen = (Actor(user=User.objects.get(pk=people[name])) for name in ("ada", "ben", "chen"))
    here = Team.objects.get(pk=team)
    other = open_session(ada, team=here, title="Agents in the new office")
    session = open_session(ada, team=here, title="Release 1.4")
    topic = ChatTopic(session_id=session.pk)
    with transaction.atomic():
        for member in (ben, chen):
            assert member.user
            add_member(ada, topic, AddMember(user_id=member.user.pk))
        post_message(ada, ChatTopic(session_id=other.pk), PostMessage(content="The rack is in. mac-mini is next."))
    talk = [
        (ada, "I'd like to roll out 1.4 to staging this afternoon. Anything against it?", 1500),
        (ben, "Refunds fail against the sandbox: a balance of -12.50 after the second try.", 1490),
        (ben, "It is the retry of the bank's callback, not ours. I put the trace into the ticket.", 1489),
        (
            chen,
            "Then it does not block the shop itself.\nI'll start the evaluation of the search on gpu-1.",
            62,
        ),
        (ada, "Good. Payments stays at 1.3.9, everything else goes.", 14),
        (ben, "The image is built, and the tests on build-1 are green.", 6),
        (ada, "Evaluation is running, loss looks as it should.", 2),
    ]
    for actor, content, minutes in talk:
        with transaction.atomic():
            post_message(actor, topic, PostMessage(content=content))
        last = Message.objects.filter(session=session).order_by("-created_at").first()
        assert last
        Message.objects.filter(pk=last.pk).update(created_at=timezone.now() - timedelta(minutes=minutes))
    return str(session.pk)
