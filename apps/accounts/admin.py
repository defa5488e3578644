"""Operators' view of people, teams, keys and the audit log. What is done here is recorded and told as anywhere else."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from rest_framework_api_key.models import APIKey as PackagesOwnApiKey
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from apps.accounts import audit, services
from apps.accounts.forms import AdminLoginForm
from apps.accounts.models import ApiKey, AuditEntry, Membership, Team, User
from apps.accounts.rest import person_of
from apps.accounts.revocations import revoked

admin.site.site_header = "Signalbox"
admin.site.site_title = "Signalbox"
admin.site.index_title = "Administration"
admin.site.login_form = AdminLoginForm

# Ours stands in for the package's key; and nobody should read other people's refresh tokens.
for _model in (PackagesOwnApiKey, OutstandingToken, BlacklistedToken):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class TellingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin whose every change is on record, and whose deletions are told to live connections."""

    kind: str

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        action = f"{self.kind}.changed" if change else f"{self.kind}.created"
        self.record(request, action, obj, fields=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.record(request, f"{self.kind}.deleted", obj)
        self.tell_gone(obj)
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Django does this alone outside a transaction, and what is told before the rows go is told in vain."""
        for obj in queryset:
            self.record(request, f"{self.kind}.deleted", obj)
            self.tell_gone(obj)
        super().delete_queryset(request, queryset)

    def record(self, request: HttpRequest, action: str, obj: Model, **detail: Any) -> None:
        target = f"user:{obj.pk}" if isinstance(obj, User) else str(obj.pk)
        audit.record(person_of(request), action, target, name=str(obj), door="admin", **detail)

    def tell_gone(self, obj: Any) -> None:
        """Say whose access ends with this object; it is told when the transaction commits."""


@admin.register(User)
class UserAdmin(TellingAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    kind = "user"
    form = UserChangeForm
    add_form = AdminUserCreationForm
    list_display = ("username", "email", "first_name", "last_name", "is_active", "is_staff", "last_login")
    actions = ("deactivate", "activate")

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[Any]", change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change:
            revoked(user_id=obj.pk)

    def tell_gone(self, obj: User) -> None:
        revoked(user_id=obj.pk)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        before = User.objects.filter(pk=id).values_list("password", flat=True).first()
        response = super().user_change_password(request, id, form_url)
        user = User.objects.filter(pk=id).first()
        if user is not None and user.password != before:
            self.record(request, "user.password_changed", user)
            revoked(user_id=user.pk)
        return response

    @admin.action(description="Deactivate selected users", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        actor = person_of(request)
        for user in queryset.exclude(pk=cast(User, request.user).pk):
            services.deactivate_user(actor, user=user)

    @admin.action(description="Activate selected users", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        actor = person_of(request)
        for user in queryset:
            services.activate_user(actor, user=user)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Team)
class TeamAdmin(TellingAdmin):
    kind = "team"
    list_display = ("name", "id", "created_at")
    search_fields = ("name",)
    inlines = (MembershipInline,)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        team: Team = form.instance
        added = [("member.added", membership) for membership in formset.new_objects]
        changed = [("member.role_changed", membership) for membership, _ in formset.changed_objects]
        removed = [("member.removed", membership) for membership in formset.deleted_objects]
        for action, membership in added + changed + removed:
            self.record(request, action, team, user=membership.user.username, role=membership.get_role_display())
            revoked(user_id=membership.user_id, team_id=team.id)

    def tell_gone(self, obj: Team) -> None:
        for user_id in obj.memberships.values_list("user_id", flat=True):
            revoked(user_id=user_id, team_id=obj.id)
        for prefix in obj.api_keys.values_list("prefix", flat=True):
            revoked(key_prefix=prefix)


@admin.register(ApiKey)
class ApiKeyAdmin(TellingAdmin):
    kind = "key"
    list_display = ("prefix", "name", "team", "created_by", "created", "expiry_date", "last_used_at", "revoked")
    list_filter = ("team", "revoked")
    search_fields = ("name", "prefix")
    readonly_fields = ("prefix", "created_by", "created", "last_used_at")
    actions = ("revoke",)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        if obj is None:
            return (*self.readonly_fields, "revoked")
        if obj.revoked:
            return (*self.readonly_fields, "team", "name", "revoked", "expiry_date")
        return (*self.readonly_fields, "team")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: "ModelForm[Any]", change: bool) -> None:
        if not change:
            plaintext = ApiKey.objects.assign_key(obj)
            obj.created_by = person_of(request).user
            messages.warning(request, f"The key of {obj.name} is {plaintext} - keep it now, it is never shown again.")
        super().save_model(request, obj, form, change)
        if change:
            revoked(key_prefix=obj.prefix)

    def tell_gone(self, obj: ApiKey) -> None:
        revoked(key_prefix=obj.prefix)

    @admin.action(description="Revoke selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        actor = person_of(request)
        for key in queryset.select_related("team"):
            services.revoke_key(actor, key=key)


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("at", "name", "sender", "action", "target")
    list_filter = ("action",)
    search_fields = ("name", "sender", "target")
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False
