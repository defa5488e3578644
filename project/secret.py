"""The installation's secret, made once."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def kept_secret(path: Path) -> str:
    """The secret in `path`; made with mode 0600 if it is not there yet, and safe when two processes start at once."""
    if not path.exists():
        _make(path)
    return path.read_text()


def _make(path: Path) -> None:
    """It appears whole or not at all, whenever this process is killed; who is second leaves the first one's."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-") as draft:
        draft.write(secrets.token_urlsafe(50))
        draft.flush()
        os.fsync(draft.fileno())
        with suppress(FileExistsError):
            os.link(draft.name, path)
