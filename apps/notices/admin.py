from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.accounts import audit
from apps.accounts.refusals import Invalid
from apps.accounts.rest import person_of
from apps.notices import services
from apps.notices.contract import Broadcast, Notify
from apps.notices.models import Notice


class NoticeForm(forms.ModelForm):
    """What is checked of a frame is checked of a form, in the same words."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            try:
                Broadcast.of({name: given[name] or None for name in ("message", "level", "link")})
            except Invalid as refusal:
                raise ValidationError(refusal.message) from refusal
        return given


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin):
    """To add one is to send it: staff may. What was sent is history."""

    form = NoticeForm
    autocomplete_fields = ("recipient",)
    radio_fields = {"level": admin.HORIZONTAL}
    list_display = ("created_at", "level", "audience", "beginning", "sender_name")
    list_filter = ("level", "created_at")
    search_fields = ("message", "recipient_name", "sender_name")
    date_hierarchy = "created_at"

    @admin.display(description="message")
    def beginning(self, notice: Notice) -> str:
        return notice.message[:80]

    def get_fields(self, request: HttpRequest, obj: Notice | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("recipient", "level", "message", "link")
        return ("audience", "level", "message", "link", "sender_name", "created_at")

    def save_model(self, request: HttpRequest, obj: Notice, form: Any, change: bool) -> None:
        actor = person_of(request)
        stored = services.send(actor, obj)
        action = Notify.TYPE if obj.is_personal else Broadcast.TYPE
        audit.record(actor, action, stored.topic, id=str(obj.pk), door="admin")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return person_of(request).is_staff if request.user.is_authenticated else False

    def has_view_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False
