"""The login forms."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from apps.accounts.refusals import TooFast


class LoginForm(AuthenticationForm):
    """Django's form, which also says when there were too many wrong passwords."""

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except TooFast as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from refusal


class AdminLoginForm(LoginForm, AdminAuthenticationForm):
    """The same at the admin's door, for staff only."""
