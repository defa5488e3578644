from apps.events.apps import FeatureConfig


class NoticesConfig(FeatureConfig):
    """What staff tells everybody, or one person."""

    name = "apps.notices"
    default_auto_field = "django.db.models.BigAutoField"
