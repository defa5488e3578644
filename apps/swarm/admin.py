from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.swarm.models import Project, Run, Step


class _HistoryAdmin:
    """What happened is looked at, not edited."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Plans are written as YAML (`load_project`, REST), where every mistake is named; here only the words change."""

    list_display = ("name", "slug", "team", "updated_at")
    list_filter = ("team",)
    search_fields = ("name", "slug", "description", "id")
    fields = ("name", "description", "team", "slug", "definition", "created_at", "updated_at")
    readonly_fields = ("team", "slug", "definition", "created_at", "updated_at")
    list_select_related = ("team",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class StepInline(_HistoryAdmin, admin.TabularInline):  # type: ignore[type-arg]
    model = Step
    extra = 0
    fields = ("stage", "name", "command", "agent", "label", "status", "attempt", "exit_code", "error")
    readonly_fields = fields
    show_change_link = False


@admin.register(Run)
class RunAdmin(_HistoryAdmin, admin.ModelAdmin):  # type: ignore[type-arg]
    """Runs with their steps."""

    list_display = ("name", "status", "team", "by", "started_at", "ended_at")
    list_filter = ("status", "team", "project")
    search_fields = ("name", "by", "id", "error")
    date_hierarchy = "started_at"
    list_select_related = ("team",)
    inlines = (StepInline,)
