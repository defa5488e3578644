from django.apps import AppConfig


class GatewayConfig(AppConfig):
    """The doors: sockets, polling, limits, health, stats."""

    name = "apps.gateway"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.gateway import wheel  # noqa: F401  (listens for revocations)
