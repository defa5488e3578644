from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Pages that belong to no single feature: landing, dashboard."""

    name = "apps.pages"
