"""What was said before a change of the tables is still there, and where it was."""

from uuid import UUID

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.events import wire

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def migrate():
    """`migrate("0001_initial")`: brings the tables to that state; the models as they were then."""

    def to(name):
        executor = MigrationExecutor(connection)
        executor.migrate([("chat", name)])
        return executor.loader.project_state([("chat", name)]).apps

    yield to
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("chat"))


def test_messages_keep_their_order(migrate, team):
    before = migrate("0001_initial")
    at = wire.now()
    for title, ids in (("Release", [3, 1, 2]), ("Lunch", [5, 4])):
        session = before.get_model("chat", "ChatSession").objects.create(team_id=team.pk, title=title)
        for id in ids:
            session.messages.create(id=UUID(int=id), content=f"{id}", created_at=at)
    after = migrate("0002_messages_keep_their_place")
    messages = after.get_model("chat", "Message").objects.order_by("session__title", "seq")
    assert list(messages.values_list("content", "seq")) == [("4", 1), ("5", 2), ("1", 1), ("2", 2), ("3", 3)]
