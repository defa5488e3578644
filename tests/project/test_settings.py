"""docs/settings.md is the list of all variables: none is missing, none is made up."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

DOCUMENT = (ROOT / "docs" / "settings.md").read_text()
# Read by programs that are not ours.
READ_BY_OTHERS = {"FORWARDED_ALLOW_IPS"}


def test_every_variable_that_is_read_is_described() -> None:
    undescribed = {name for name in _read_anywhere() if f"`{name}`" not in DOCUMENT}
    assert not undescribed, f"not in docs/settings.md: {sorted(undescribed)}"


def test_every_described_variable_is_read() -> None:
    described = set(re.findall(r"^\| `([A-Z_]+)` \|", DOCUMENT, re.MULTILINE))
    assert described - _read_anywhere() <= READ_BY_OTHERS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIMIT_TOPICS", "0"),
        ("LIMIT_TOPICS", "many"),
        ("DATABASE_URL", "mysql://127.0.0.1/signalbox"),
        ("DATABASE_POOL_SIZE", "11"),
        ("ACCESS_TOKEN_SECONDS", "soon"),
        ("ACCESS_TOKEN_SECONDS", "0"),
        ("AGENT_LEASE_SECONDS", "0"),
        ("HEARTBEAT_SECONDS", "-1"),
        ("AUTH_SECONDS", "0"),
        ("HEADS_CHECK_SECONDS", "0"),
        ("ALLOWED_ORIGINS", "https://pages.example/"),
        ("ALLOWED_ORIGINS", "https://pages.example, https://other.example"),
        ("ALLOWED_ORIGINS", "pages.example"),
    ],
)
def test_an_odd_value_is_refused_at_start(name: str, value: str, tmp_path: Path) -> None:
    environment = os.environ | {"DATA_DIR": str(tmp_path), "DATABASE_URL": "postgres://127.0.0.1/x", name: value}
    command = [sys.executable, "-c", "import project.settings"]
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert made.returncode != 0
    assert name in made.stderr


def _read_anywhere() -> set[str]:
    found = set(re.findall(r"\benv(?:\.\w+)?\(\s*\"([A-Z_]+)\"", (ROOT / "project" / "settings.py").read_text()))
    for file in (ROOT / "project").rglob("*.py"):
        found |= set(re.findall(r"os\.environ\.get\(\"([A-Z_]+)\"", file.read_text()))
    return found
