"""`{% module "js/pages/chat.js" %}`: a page's script, with everything that it imports named at once.

A browser would find imports of imports one round trip after the other.
"""

import os
import re
from functools import lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_IMPORT = re.compile(r"^(?:import|export)\b[^'\"()]*?['\"]([^'\"]+)['\"]", re.MULTILINE)


@register.simple_tag
def module(path: str) -> SafeString:
    """The script element, and before it a preload for each module that it needs."""
    needed = format_html_join(
        "\n  ", '<link rel="modulepreload" href="{}">', ((_address(name),) for name in needs(path))
    )
    return format_html('{}\n  <script type="module" src="{}"></script>', needed, static(path))


def needs(path: str) -> list[str]:
    """What the module at this static path imports, directly or not, without itself: static paths and addresses."""
    found = {path: None}
    waiting = [path]
    while waiting:
        name = waiting.pop()
        for imported in _imports_of(name):
            if imported not in found:
                found[imported] = None
                waiting.append(imported)
    return [name for name in found if name != path]


def _address(name: str) -> str:
    """Where the browser will look for it: libraries are imported by their address, our own modules by a path."""
    return name if name.startswith("/") else static(name)


def _imports_of(path: str) -> list[str]:
    file = finders.find(path.removeprefix(f"/{settings.STATIC_URL.strip('/')}/"))
    if not file:
        return []
    names = _imports_in(file, Path(file).stat().st_mtime_ns)
    return [_resolved(name, path) for name in names if name.startswith((".", "/"))]


@lru_cache(maxsize=500)
def _imports_in(file: str, _changed: int) -> list[str]:
    return _IMPORT.findall(Path(file).read_text())


def _resolved(name: str, importer: str) -> str:
    """A module's name as its importer says it, as a static path; an address stays one."""
    if name.startswith("/"):
        return name
    return os.path.normpath(os.path.join(os.path.dirname(importer), name))  # noqa: PTH118, PTH120  # an address
