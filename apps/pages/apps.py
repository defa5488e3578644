from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Pages that belong to no single feature: landing, dashboard."""

    name = "apps.pages"

    def ready(self) -> None:
        from apps.pages import gauge  # noqa: F401  # it declares a sweep
