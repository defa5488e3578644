"""The REST doors of agents and their commands. What a frame does on the socket, the same frame does here."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.accounts.refusals import Forbidden, Invalid
from apps.accounts.rest import actor_of
from apps.accounts.roles import Role, permits
from apps.accounts.selectors import role_in_team
from apps.agents import selectors, services
from apps.agents.models import KIND_LENGTH, Agent, Command
from apps.events.rest import choice_of, perform_request, uuid_of
from apps.events.threads import write_and_wait


class AgentSerializer(serializers.ModelSerializer[Agent]):
    """An agent; `topic` is where it is followed, `terminal` where what it prints is."""

    team = serializers.UUIDField(source="team_id")
    topic = serializers.SerializerMethodField()
    terminal = serializers.SerializerMethodField()
    busy = serializers.IntegerField(help_text="Commands in its inbox or running.")

    class Meta:
        model = Agent
        fields = (
            "id",
            "team",
            "name",
            "topic",
            "terminal",
            "status",
            "accepts",
            "labels",
            "slots",
            "busy",
            "version",
            "platform",
            "metrics",
            "seen_at",
            "created_at",
        )

    def get_topic(self, agent: Agent) -> str:
        return f"agent.{agent.pk}"

    def get_terminal(self, agent: Agent) -> str:
        return f"terminal.{agent.pk}"


class CommandSerializer(serializers.ModelSerializer[Command]):
    """A command and what became of it. `agent` is null while it waits for one."""

    team = serializers.UUIDField(source="team_id")
    agent = serializers.UUIDField(source="agent_id", allow_null=True)
    topic = serializers.SerializerMethodField()

    class Meta:
        model = Command
        fields = (
            "id",
            "team",
            "agent",
            "agent_name",
            "topic",
            "kind",
            "purpose",
            "spec",
            "label",
            "attempt",
            "status",
            "exit_code",
            "error",
            "cpu_seconds",
            "max_rss_bytes",
            "requested_by",
            "created_at",
            "sent_at",
            "started_at",
            "ended_at",
            "interrupt_sent_at",
            "interrupt_delivered_at",
            "interrupt_acknowledged_at",
            "interrupt_stopped_at",
        )

    def get_topic(self, command: Command) -> str | None:
        return f"agent.{command.agent_id}" if command.agent_id else None


class CommandRequestSerializer(serializers.Serializer[Command]):
    """A command for one agent: its id, what kind of work it is, and the spec as in a `command:request` frame."""

    agent = serializers.UUIDField()
    kind = serializers.CharField(required=False, max_length=KIND_LENGTH)
    spec = serializers.JSONField(help_text="{argv | shell, cwd, env, timeout, cols, rows}")


@extend_schema(tags=["agents"])
class AgentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Agent]):
    """The agents of the caller's teams."""

    serializer_class = AgentSerializer
    queryset = Agent.objects.none()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Agent]:
        return selectors.agents_of(actor_of(self.request))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Forget an agent that is not connected. Owners may."""
        actor = actor_of(request)
        agent = selectors.agent_for(actor, pk)
        if not permits(role_in_team(actor, agent.team_id), Role.OWNER):
            raise Forbidden("Deleting an agent needs the role owner in its team.")

        def delete() -> None:
            with transaction.atomic():
                audit.record(actor, "agent:delete", f"agent.{agent.pk}", name=agent.name)
                services.delete_agent(agent)

        write_and_wait(delete)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["agents"])
class CommandViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Command]):
    """The commands of the caller's teams, newest first; `?agent=` and `?status=` choose."""

    serializer_class = CommandSerializer
    queryset = Command.objects.none()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Command]:
        asked = self.request.query_params
        commands = selectors.commands_of(actor_of(self.request))
        if agent := uuid_of(asked.get("agent"), "agent"):
            commands = commands.filter(agent_id=agent)
        if wanted := choice_of(asked.get("status"), "status", Command.Status.values):
            commands = commands.filter(status=wanted)
        return commands

    @extend_schema(request=CommandRequestSerializer, responses={201: CommandSerializer})
    def create(self, request: Request) -> Response:
        """Give an agent a command. An `Idempotency-Key` header makes it safe to send again."""
        body = CommandRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data = {name: value for name, value in body.validated_data.items() if name != "agent"}
        ack = perform_request(request, "command:request", f"agent.{body.validated_data['agent']}", data)
        command = selectors.command_for(actor_of(request), UUID(ack["data"]["command_id"]))
        return Response(self.get_serializer(command).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=CommandSerializer)
    @action(detail=True, methods=["post"])
    def interrupt(self, request: Request, pk: UUID) -> Response:
        """Stop it: at once if it waits, through its agent if it runs."""
        command = selectors.command_for(actor_of(request), pk)
        if command.agent_id is None:
            raise Invalid("This command waits for an agent; cancel what asked for it.")
        perform_request(request, "command:interrupt", f"agent.{command.agent_id}", {"command_id": str(pk)})
        command.refresh_from_db()
        return Response(self.get_serializer(command).data)
