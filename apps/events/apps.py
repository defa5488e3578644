from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig

from apps.accounts import writes
from apps.events import threads


class EventsConfig(AppConfig):
    """What happened: declarations, the log, and the way in. Knows no feature and no transport."""

    name = "apps.events"

    def ready(self) -> None:
        import_module(f"{self.name}.retention")  # its sweeps
        writes.run_by(and_wait=threads.write_and_wait, soon=threads.write_soon)


class FeatureConfig(AppConfig):
    """An app with a contract: its declarations and handlers are known once Django is ready."""

    # Django takes the one config of an apps.py that is a default; this class is imported there and must not count.
    default = False

    def __init_subclass__(cls) -> None:
        cls.default = True

    def ready(self) -> None:
        for module in ("contract", "services"):
            if find_spec(f"{self.name}.{module}"):
                import_module(f"{self.name}.{module}")
