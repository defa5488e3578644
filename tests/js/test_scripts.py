"""Rules that the browser's scripts keep. Their own tests run in node: `make test-js`."""

import gzip
import re
from pathlib import Path

from apps.pages.templatetags.modules import needs

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SOURCES = ROOT / "static" / "js"


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
    # A page takes a part of itself, which the server has escaped as it did the whole; a toast's frame has no words in it.
    assert found == {"static/js/elements/morph.js: innerHTML", "static/js/elements/toast-list.js: innerHTML"}


def test_storages_are_reached_for_where_it_is_known_that_they_may_be_full_or_forbidden() -> None:
    found = [file.name for file in SOURCES.rglob("*.js") if re.search(r"\b(local|session)Storage\b", file.read_text())]
    assert found == ["memory.js"]


def test_the_client_is_small() -> None:
    """What a foreign page loads to be live, without the widget: 15 KiB, gzipped, without what only people read."""
    code = "\n".join(
        _bare((SOURCES / name).read_text()) for name in ["websocket.js", "here.js", "kept.js", *_realtime()]
    )
    size = len(gzip.compress(code.encode(), 9))
    assert size <= 15 * 1024, size


def _realtime() -> list[str]:
    """The modules of realtime/ that the client needs."""
    needed = needs("js/websocket.js")
    ours = {name for name in needed if name.startswith("js/realtime/")}
    # Names of frames, generated: it grows with the features.
    return sorted(name.removeprefix("js/") for name in ours - {"js/realtime/contract.js"})


def _bare(source: str) -> str:
    source = re.sub(r"/\*\*.*?\*/", "", source, flags=re.DOTALL)
    return re.sub(r"^\s*(//.*)?\n?|^\s+", "", source, flags=re.MULTILINE)
