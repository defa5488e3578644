"""Tasks as REST shows them, and what it takes to submit one."""

from typing import Any

from rest_framework import serializers

from apps.agents.contract import MAX_TIMEOUT
from apps.tasks.models import Status, Task


class TaskSerializer(serializers.Serializer[Task]):
    """A task: what `task_update` tells, with its id and topic."""

    id = serializers.UUIDField()
    topic = serializers.CharField(help_text="Where `task_update` tells of it.")
    team_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.choices)
    query = serializers.CharField()
    progress = serializers.IntegerField(min_value=0, max_value=100)
    agent = serializers.CharField(allow_null=True)
    agent_id = serializers.UUIDField(allow_null=True)
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    exit_code = serializers.IntegerField(allow_null=True)
    attempt = serializers.IntegerField()
    retries = serializers.IntegerField()
    error = serializers.CharField(allow_null=True)
    author = serializers.CharField()
    purpose = serializers.CharField(allow_blank=True)
    cancelling = serializers.BooleanField()
    created_at = serializers.CharField()
    started_at = serializers.CharField(allow_null=True)
    ended_at = serializers.CharField(allow_null=True)

    def to_representation(self, task: Task) -> dict[str, Any]:
        data = task.as_data()
        return {
            "id": data.pop("task_id"),
            "topic": f"team.{task.team_id}",
            "team_id": str(task.team_id),
            **data,
            "retries": task.retries,
        }


class SubmitTaskSerializer(serializers.Serializer[Any]):
    """A task to be done by an agent (by name), one with a label, or any."""

    query = serializers.CharField(max_length=8000, help_text="A shell command line, if `command` is not given.")
    command = serializers.CharField(max_length=8000, required=False)
    team = serializers.UUIDField(required=False, help_text="Left out: the oldest of your teams.")
    agent = serializers.CharField(max_length=100, required=False)
    label = serializers.CharField(max_length=100, required=False)  # type: ignore[assignment]
    timeout = serializers.FloatField(min_value=0, max_value=MAX_TIMEOUT, required=False, help_text="Seconds.")
    retries = serializers.IntegerField(min_value=0, max_value=10, required=False)
