from django.contrib import admin
from django.http import HttpRequest

from apps.agents.models import Agent, Command


@admin.register(Agent)
class AgentAdmin(admin.ModelAdmin):
    """Agents register themselves; here one sees which are connected."""

    list_display = ("name", "team", "status", "seen_at", "slots", "labels", "version", "platform")
    list_filter = ("status", "team")
    search_fields = ("name", "platform", "id")
    list_select_related = ("team",)
    readonly_fields = [field.name for field in Agent._meta.fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Agent | None = None) -> bool:
        return False


@admin.register(Command)
class CommandAdmin(admin.ModelAdmin):
    """What agents were told to do is history: it can be searched, and not changed."""

    list_display = ("short_line", "status", "agent_name", "team", "purpose", "exit_code", "requested_by", "created_at")
    list_filter = ("status", "purpose", "kind", "team", "created_at")
    search_fields = ("id", "agent_name", "label", "requested_by", "error")
    list_select_related = ("team",)
    date_hierarchy = "created_at"

    @admin.display(description="command")
    def short_line(self, command: Command) -> str:
        return command.line[:80]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Command | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Command | None = None) -> bool:
        return False
