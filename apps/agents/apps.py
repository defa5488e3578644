from apps.events.apps import FeatureConfig


class AgentsConfig(FeatureConfig):
    """Agents, their leases, commands and what they print."""

    name = "apps.agents"
    default_auto_field = "django.db.models.BigAutoField"
