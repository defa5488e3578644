"""Projects and runs as REST shows them, and what it takes to write and start one."""

from typing import Any

from rest_framework import serializers

from apps.accounts.refusals import Invalid
from apps.swarm.definition import MAX_CHARACTERS, Definition, parse, parse_yaml
from apps.swarm.models import Project, RunStatus, StageStatus, StepStatus


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """A project in a list."""

    team_id = serializers.UUIDField()

    class Meta:
        model = Project
        fields = ("id", "name", "slug", "description", "team_id", "created_at", "updated_at")
        read_only_fields = fields


class RunErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    step = serializers.CharField(allow_null=True, help_text="The key of the step that failed.")


class RunSummarySerializer(serializers.Serializer[Any]):
    """A run in a list."""

    id = serializers.UUIDField()
    topic = serializers.CharField()
    status = serializers.ChoiceField(choices=RunStatus.choices)
    project_id = serializers.UUIDField()
    project = serializers.CharField(help_text="The project's name when it started.")
    team_id = serializers.UUIDField()
    by = serializers.CharField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    percent = serializers.IntegerField()
    started_at = serializers.CharField()
    ended_at = serializers.CharField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    error = RunErrorSerializer(allow_null=True)


class StepSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    command = serializers.CharField()
    agent = serializers.CharField(allow_null=True)
    agent_id = serializers.UUIDField(allow_null=True)
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    allow_failure = serializers.BooleanField()
    status = serializers.ChoiceField(choices=StepStatus.choices)
    task_id = serializers.UUIDField(allow_null=True)
    attempt = serializers.IntegerField()
    exit_code = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    started_at = serializers.CharField(allow_null=True)
    ended_at = serializers.CharField(allow_null=True)


class StageSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=StageStatus.choices)
    steps = StepSerializer(many=True)


class RunCursorSerializer(serializers.Serializer[Any]):
    epoch = serializers.CharField(allow_blank=True)
    seq = serializers.IntegerField()


class RunSerializer(RunSummarySerializer):
    """A run with its stages and steps, and the cursor from which its events go on."""

    cursor = RunCursorSerializer()
    stages = StageSerializer(many=True)


class ProjectDetailSerializer(ProjectSerializer):
    """A project with its plan and its newest run."""

    latest_run = RunSummarySerializer(allow_null=True)

    class Meta(ProjectSerializer.Meta):
        fields = (*ProjectSerializer.Meta.fields, "definition", "latest_run")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class WriteProjectSerializer(serializers.Serializer[Any]):
    """A project: `yaml` text, or `definition` as JSON. The YAML text alone may be the body too, as application/yaml."""

    yaml = serializers.CharField(required=False, trim_whitespace=False)
    definition = serializers.JSONField(required=False)
    team = serializers.UUIDField(required=False, help_text="Left out: the oldest of your teams.")


def definition_in(body: dict[str, Any]) -> Definition:
    """The project in a validated body. Raises Invalid, naming the place that is wrong."""
    if ("yaml" in body) == ("definition" in body):
        raise Invalid('Send the project as "yaml" (text) or as "definition" (JSON), one of them.')
    if "yaml" in body:
        return parse_yaml(body["yaml"])
    if len(str(body["definition"])) > MAX_CHARACTERS:
        raise Invalid(f"A project may have at most {MAX_CHARACTERS} characters.")
    return parse(body["definition"])


class LogSerializer(serializers.Serializer[Any]):
    """One `workflow_log` event, as on the socket."""

    type = serializers.CharField()
    topic = serializers.CharField()
    seq = serializers.IntegerField()
    timestamp = serializers.CharField()
    data = serializers.JSONField()  # type: ignore[assignment]


class LogPageSerializer(serializers.Serializer[Any]):
    """Log lines of a run. Go on with `after` = `next_after`, or backwards with `before` = `next_before`."""

    topic = serializers.CharField(allow_null=True)
    epoch = serializers.CharField(allow_blank=True)
    head = serializers.IntegerField()
    reset = serializers.BooleanField(help_text="The cursor is not known any more: start afresh.")
    next_after = serializers.IntegerField(allow_null=True)
    next_before = serializers.IntegerField(allow_null=True)
    logs = LogSerializer(many=True)
