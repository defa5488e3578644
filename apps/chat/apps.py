from apps.events.apps import FeatureConfig


class ChatConfig(FeatureConfig):
    """Sessions, members and messages."""

    name = "apps.chat"
    default_auto_field = "django.db.models.BigAutoField"
