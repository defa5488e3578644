from django.contrib import admin
from django.http import HttpRequest

from apps.chat.models import ChatSession, Message, SessionMember


class MemberInline(admin.TabularInline):
    """Here one sees who is in. To change that is a frame's work (`member:add`, `member:remove`), which tells of it."""

    model = SessionMember
    fields = readonly_fields = ("user", "joined_at")

    def has_add_permission(self, request: HttpRequest, obj: ChatSession | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ChatSession | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ChatSession | None = None) -> bool:
        return False


@admin.register(ChatSession)
class ChatSessionAdmin(admin.ModelAdmin):
    list_display = ("title", "team", "created_by", "created_at")
    list_filter = ("team", "created_at")
    search_fields = ("title", "created_by__username")
    raw_id_fields = ("team", "created_by")
    readonly_fields = ("created_at",)
    inlines = (MemberInline,)


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    """What was said is history: it can be searched, and not changed."""

    list_display = ("created_at", "session", "author_name", "beginning")
    list_filter = ("created_at",)
    search_fields = ("content", "author_name", "session__title")
    list_select_related = ("session",)
    ordering = ("created_at", "seq")
    date_hierarchy = "created_at"

    @admin.display(description="content")
    def beginning(self, message: Message) -> str:
        return message.content[:80]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False
