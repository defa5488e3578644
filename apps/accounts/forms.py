"""The login forms."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from apps.accounts.refusals import TooFast


class LoginForm(AuthenticationForm):
    """Django's form, which also says when there were too many wrong passwords, and marks what is wrong."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "Username and password do not belong together. Capital letters count.",
    }

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except TooFast as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from refusal

    def full_clean(self) -> None:
        super().full_clean()
        if self.non_field_errors():  # The name is filled in: what is typed again is the password.
            self.fields["username"].widget.attrs.pop("autofocus", None)
            self.fields["password"].widget.attrs["autofocus"] = True
        for name, field in self.fields.items():
            described_by = "login-error" if self.non_field_errors() else f"id_{name}_error"
            if self.non_field_errors() or name in self.errors:
                field.widget.attrs |= {"aria-invalid": "true", "aria-describedby": described_by}


class AdminLoginForm(LoginForm, AdminAuthenticationForm):
    """The same at the admin's door, for staff only."""

    error_messages = AdminAuthenticationForm.error_messages
