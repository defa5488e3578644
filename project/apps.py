from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Commands that concern the whole installation, such as `manage.py serve`."""

    name = "project"
