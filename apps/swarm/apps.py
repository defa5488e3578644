from apps.events.apps import FeatureConfig


class SwarmConfig(FeatureConfig):
    """Projects, runs, stages, steps; a step is a task."""

    name = "apps.swarm"
    default_auto_field = "django.db.models.BigAutoField"
