"""The secret is there whole or not at all, however many processes make it and whenever one of them is killed."""

import os
from pathlib import Path

import pytest

from project import secret
from project.secret import kept_secret


def test_it_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    made = kept_secret(path)
    assert len(made) >= 50
    assert kept_secret(path) == path.read_text() == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_that_is_killed_meanwhile_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret_key"
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(secret.secrets, "token_urlsafe", _killed)
        kept_secret(path)
    assert kept_secret(path)


def test_who_is_second_takes_the_first_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, link = tmp_path / "secret_key", os.link

    def late(draft: str, place: Path) -> None:
        path.write_text("made by another process")
        link(draft, place)

    monkeypatch.setattr(os, "link", late)
    assert kept_secret(path) == "made by another process"


def _killed(length: int) -> str:
    raise KeyboardInterrupt
