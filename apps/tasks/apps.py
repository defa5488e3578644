from apps.events.apps import FeatureConfig


class TasksConfig(FeatureConfig):
    """Tasks and their life; a task is carried out by commands."""

    name = "apps.tasks"
    default_auto_field = "django.db.models.BigAutoField"
