"""What a test process itself holds of the test database."""

from asgiref.sync import SyncToAsync
from django.db import connections

from apps.events.threads import release_connections


def let_go() -> None:
    """Close the connections of all threads but this one: our own, and the one in which Django's async views work."""
    release_connections()
    SyncToAsync.single_thread_executor.submit(lambda: connections.close_all()).result()
