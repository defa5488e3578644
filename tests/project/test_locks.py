"""What is installed is pinned by hash, from whichever index the machine is told to use."""

import json
import re

import pytest

from tests.support.processes import ROOT

LOCKS = ["requirements.lock", "requirements-redis.lock", "requirements-uv.lock", "docs/deploy/requirements.lock"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_a_hash_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "--index-url" not in text and "://" not in text
    for block in re.split(r"\n(?=[a-z0-9])", text):
        if "==" in block.splitlines()[0]:
            assert "--hash=sha256:" in block, block.splitlines()[0]


def test_browser_packages_have_a_hash_and_no_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    del packages[""]
    assert packages
    for name, package in packages.items():
        assert "integrity" in package and "resolved" not in package, name


def test_what_is_deployed_is_what_is_tested() -> None:
    assert _pins("docs/deploy/requirements.lock") <= _pins("requirements.lock")


def _pins(name: str) -> set[tuple[str, str]]:
    """Names and versions; a package may have one version for old Pythons and one for new."""
    return set(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / name).read_text(), re.MULTILINE))
