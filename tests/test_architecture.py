"""Imports point one way: between apps as docs say, and inside a feature from views down to models."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ROOT / "apps"

MAY_IMPORT = {
    "accounts": set(),
    "events": {"accounts"},
    "gateway": {"events", "accounts"},
    "agents": {"events", "accounts"},
    "tasks": {"agents", "events", "accounts"},
    "swarm": {"tasks", "agents", "events", "accounts"},
    "chat": {"tasks", "agents", "events", "accounts"},
    "notices": {"agents", "events", "accounts"},
    "pages": {"chat", "swarm", "notices", "gateway", "tasks", "agents", "events", "accounts"},
}
"""project → {pages, chat, swarm, notices, gateway} → tasks → agents → events → accounts."""

LAYERS = {
    "models": 0,
    "selectors": 1,
    "contract": 2,
    "services": 3,
    "api": 4,
    "views": 4,
    "admin": 4,
    "urls": 5,
    "consumers": 4,
}
"""Inside a feature a module imports only from lower layers; modules of other names belong to none."""


def modules_below(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py") if "migrations" not in path.parts)


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it: `from a.b import c` is both `a.b` and `a.b.c`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = path.relative_to(ROOT).with_suffix("").parts[: -node.level]
                base = ".".join([*package, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{name.name}" for name in node.names)


def app_of(path: Path) -> str:
    return path.relative_to(APPS).parts[0]


def features() -> list[str]:
    return sorted(path.name for path in APPS.iterdir() if (path / "apps.py").exists())


def layer_of(parts: tuple[str, ...]) -> int | None:
    """The layer of a module below its feature: the first part says it, whether file or folder."""
    return LAYERS.get(parts[0]) if parts else None


def test_an_app_imports_only_from_below() -> None:
    wrong = []
    for path in modules_below(APPS):
        app = app_of(path)
        for name in imports_of(path):
            above = name.split(".")[0] in ("project", "tests", "benchmarks", "signalbox_agent")
            other = name.split(".")[1] if name.startswith("apps.") else app
            if above or (other != app and other not in MAY_IMPORT[app]):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_every_app_has_its_place_in_the_order() -> None:
    assert set(features()) <= set(MAY_IMPORT)
    for app, below in MAY_IMPORT.items():
        assert all(app not in MAY_IMPORT[other] for other in below), f"{app} is above and below itself"


def test_inside_a_feature_imports_point_down() -> None:
    wrong = []
    for path in modules_below(APPS):
        app, *parts = path.relative_to(APPS).with_suffix("").parts
        layer = layer_of(tuple(parts))
        if layer is None:
            continue
        for name in imports_of(path):
            other = layer_of(tuple(name.split(".")[2:])) if name.startswith(f"apps.{app}.") else None
            if other is not None and other > layer:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("app", ["events", "gateway"])
def test_the_backbone_names_no_feature(app: str) -> None:
    """Neither as an import nor as a word in a string: a feature is only its own folder."""
    ours = set(features()) - {"accounts", "events", "gateway", "pages"}
    for path in modules_below(APPS / app):
        tree = ast.parse(path.read_text())
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
                words = set(node.value.replace(".", " ").replace(":", " ").replace("_", " ").split())
                assert not words & ours, f"{path.relative_to(ROOT)}:{node.lineno} names {words & ours}"


def test_only_the_log_speaks_to_the_channel_layer() -> None:
    the_layer_itself = ROOT / "project" / "layers.py"
    for path in modules_below(APPS, ROOT / "project"):
        if path in (APPS / "events" / "log.py", the_layer_itself):
            continue
        named = [name for name in imports_of(path) if name.startswith("channels.layers")]
        assert not named, f"{path.relative_to(ROOT)} imports {named}"
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("channel_layer", "group_send", "group_add"), (
                    f"{path.relative_to(ROOT)}:{node.lineno}"
                )
    assert any(name.startswith("channels.layers") for name in imports_of(APPS / "events" / "log.py"))


def test_what_agents_need_knows_no_django() -> None:
    for path in modules_below(ROOT / "sdk"):
        for name in imports_of(path):
            assert name.split(".")[0] not in ("django", "channels", "apps", "project", "rest_framework"), (
                f"{path}: {name}"
            )


@pytest.mark.parametrize("app", features())
def test_a_feature_declares_what_it_handles(app: str) -> None:
    """Whoever has a contract has services, and a service module is found by its name."""
    folder = APPS / app
    if (folder / "contract.py").exists() or (folder / "contract").exists():
        assert (folder / "services.py").exists() or (folder / "services").is_dir()
