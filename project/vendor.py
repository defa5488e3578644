"""Copies the browser libraries from node_modules/ to static/vendor/, where pages import them from.

Nothing third-party is committed; `make` runs this after `npm ci`.
"""

import re
import shutil
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
SOURCE = BASE / "node_modules"
TARGET = BASE / "static" / "vendor"

FILES = {
    "pico.css": "@picocss/pico/css/pico.min.css",
    "uplot.js": "uplot/dist/uPlot.esm.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
    "xterm.js": "@xterm/xterm/lib/xterm.mjs",
    "xterm.css": "@xterm/xterm/css/xterm.css",
    "marked.js": "marked/lib/marked.esm.js",
    "purify.js": "dompurify/dist/purify.es.mjs",
    "virtual-core/": "@tanstack/virtual-core/dist/esm/*.js",
}
_SOURCE_MAP = re.compile(rb"^(//|/\*)# sourceMappingURL=.*$", re.MULTILINE)


def copy_all() -> None:
    """Make static/vendor/ anew. Raises FileNotFoundError when a package has moved its file."""
    shutil.rmtree(TARGET, ignore_errors=True)
    for name, pattern in FILES.items():
        found = sorted(SOURCE.glob(pattern))
        if not found:
            raise FileNotFoundError(f"{SOURCE / pattern}: the package keeps it elsewhere now; see {__file__}")
        for file in found:
            target = TARGET / name / file.name if name.endswith("/") else TARGET / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_SOURCE_MAP.sub(b"", file.read_bytes()))


if __name__ == "__main__":
    copy_all()
