"""Docs that cannot rot: whatever a client or an operator can use is described."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from apps.accounts import refusals
from apps.accounts.refusals import Refusal
from apps.events import declare
from apps.gateway import control, protocol

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def settings_page() -> str:
    return (ROOT / "docs" / "settings.md").read_text()


@pytest.fixture(scope="module")
def protocol_page() -> str:
    return (ROOT / "docs" / "protocol.md").read_text()


@pytest.fixture(scope="module")
def frames_page() -> str:
    return (ROOT / "docs" / "frames.md").read_text()


def variables_read_by(path: Path) -> set[str]:
    """Names of environment variables: first arguments of `env(…)`, `env.int(…)`, `os.environ.get(…)` and the like."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        key: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            if re.fullmatch(r"env(\.\w+)?|os\.environ\.get|os\.getenv|environ\.get", called):
                key = node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("os.environ", "environ"):
            key = node.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            found.add(key.value)
    return found


@cache
def settings() -> list[str]:
    found: set[str] = set()
    for folder in ("project", "apps"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= variables_read_by(path)
    return sorted(found - {"DJANGO_SETTINGS_MODULE"})


def types(registry: dict[str, type]) -> list[str]:
    """Wire names of what the product declares, without what tests declare."""
    return sorted(name for name, declared in registry.items() if declared.__module__.startswith("apps."))


def names(page: str, word: str) -> bool:
    """Whether a page has this word as code: `word` alone, in a longer piece of code, or as JSON."""
    return re.search(rf"[`\"]([^`\"\n]*[^\w:.-])?{re.escape(word)}([^\w:.-][^`\"\n]*)?[`\"]", page) is not None


def test_the_search_for_settings_finds_some() -> None:
    assert {"DATABASE_URL", "LIMIT_FRAME_BYTES", "REDIS_URL", "PORT"} <= set(settings())
    assert names("take `PORT` or", "PORT") and names("`PORT=1`", "PORT") and not names("`PORTS` PORT", "PORT")


@pytest.mark.parametrize("variable", settings())
def test_a_setting_is_described(settings_page: str, variable: str) -> None:
    assert names(settings_page, variable)


def test_no_setting_is_described_that_does_not_exist(settings_page: str) -> None:
    described = set(re.findall(r"^\| *`([A-Z][A-Z_]+)`", settings_page, re.MULTILINE))
    assert described, "docs/settings.md has a table whose first column is the variable"
    elsewhere = "FORWARDED_ALLOW_IPS of uvicorn, "
    elsewhere += (ROOT / "Makefile").read_text() + "".join(path.read_text() for path in (ROOT / "sdk").rglob("*.py"))
    assert {name for name in described if name not in settings() and name not in elsewhere} == set()


def told_about(page: str, kind: str) -> set[str]:
    """The types in the first column of the tables whose heading is `kind`; a whisper says so behind its name."""
    found: set[str] = set()
    heading = ""
    for line in page.splitlines():
        first = line.split("|")[1].strip() if line.startswith("|") else ""
        if first in ("command frame", "event", ""):
            heading = first
        elif (name := re.fullmatch(r"`([a-z_:]+)`( \(whisper\))?", first)) and kind == (
            "whisper" if name[2] else heading
        ):
            found.add(name[1])
    return found


@pytest.mark.parametrize(
    ("kind", "registry"),
    [("command frame", declare.frames), ("event", declare.events), ("whisper", declare.whispers)],
    ids=["command frames", "events", "whispers"],
)
def test_what_is_said_on_topics_is_described_and_nothing_else(
    frames_page: str, kind: str, registry: dict[str, type]
) -> None:
    assert told_about(frames_page, kind) == set(types(registry))


def test_every_topic_is_described(frames_page: str) -> None:
    for name in types(declare.topics):
        assert f"`{declare.topics[name].pattern}`" in frames_page


@pytest.mark.parametrize("type", sorted({*control.FROM_CLIENT, *control.FROM_SERVER}))
def test_a_control_frame_is_described(protocol_page: str, type: str) -> None:
    assert names(protocol_page, type)


@pytest.mark.parametrize("code", sorted({*protocol.close_codes().values(), protocol.RESTART, 1009}))
def test_a_close_code_is_described(protocol_page: str, code: int) -> None:
    assert re.search(rf"\b{code}\b", protocol_page)


@pytest.mark.parametrize("code", sorted(refusal.code for refusal in protocol.all_refusals()))
def test_a_refusal_is_described(protocol_page: str, code: str) -> None:
    assert re.search(rf"^\| *`?{code}`? *\| *\d+ *\|", protocol_page, re.MULTILINE), (
        "not in the table of codes and statuses"
    )


def test_every_refusal_is_known_to_the_protocol() -> None:
    def below(kind: type[Refusal]) -> set[type[Refusal]]:
        return {kind} | {deeper for sub in kind.__subclasses__() for deeper in below(sub)}

    mine = {kind for kind in below(Refusal) if kind.__module__.startswith("apps.")} - {Refusal}
    assert mine == set(protocol.all_refusals())
    assert {kind.code for kind in mine}.isdisjoint({Refusal.code})
    assert refusals.__doc__


def test_close_codes_in_the_source_come_from_one_place() -> None:
    """A number between 4000 and 4999 elsewhere would be one that the docs do not know."""
    allowed = {ROOT / "apps/gateway/protocol.py", ROOT / "apps/accounts/refusals.py"}
    for folder in ("apps", "project"):
        for path in (ROOT / folder).rglob("*.py"):
            if path in allowed or "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and type(node.value) is int and 4400 <= node.value <= 4499:
                    raise AssertionError(
                        f"{path.relative_to(ROOT)}:{node.lineno} has a close code of its own: {node.value}"
                    )


def test_the_pages_that_the_issue_names_are_there() -> None:
    for page in ("path-of-a-message.md", "protocol.md", "benchmarks.md", "settings.md"):
        assert (ROOT / "docs" / page).stat().st_size > 1_000, page
    assert list((ROOT / "docs" / "decisions").glob("*.md"))
