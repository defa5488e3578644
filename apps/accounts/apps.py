from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who: users, teams, memberships and roles, API keys, tokens, sessions."""

    name = "apps.accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        for module in ("sessions", "openapi"):
            import_module(f"{self.name}.{module}")
