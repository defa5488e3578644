from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.tasks.models import Task


@admin.register(Task)
class TaskAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Tasks are history: they are looked at here, and made and ended elsewhere."""

    list_display = ("short_query", "status", "team", "agent_name", "label", "attempt", "author_name", "created_at")
    list_filter = ("status", "purpose", "team")
    search_fields = ("query", "agent_name", "label", "author_name", "id")
    date_hierarchy = "created_at"
    list_select_related = ("team",)

    @admin.display(description="query", ordering="query")
    def short_query(self, task: Task) -> str:
        return task.query if len(task.query) <= 60 else f"{task.query[:59]}…"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
