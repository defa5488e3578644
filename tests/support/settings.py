"""The product's settings for tests inside the pytest process: everything in the session's directory, cheap passwords.

`TEST_DATABASE=postgres` runs them on PostgreSQL. Live servers use `project.settings` itself.
"""

import os

from tests.support.processes import session_dir

_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["DATA_DIR"] = str(session_dir() / _worker)
os.environ["SECRET_KEY"] = "only-for-tests-" + "x" * 40
os.environ.pop("REDIS_URL", None)
os.environ.pop("DATABASE_URL", None)
if os.environ.get("TEST_DATABASE") == "postgres":
    from tests.support.services import shared_postgres

    os.environ["DATABASE_URL"] = shared_postgres().url("signalbox")

from project.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
