"""Scripts are named with all that they import."""

import re

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from apps.pages.templatetags.modules import module, needs
from project.files import version

SCRIPTS = sorted(
    str(path.relative_to(settings.BASE_DIR / "static"))
    for path in (settings.BASE_DIR / "static" / "js" / "pages").glob("*.js")
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_everything_that_a_page_imports_is_there(script):
    missing = [name for name in needs(script) if not finders.find(name.removeprefix("/static/"))]
    assert missing == []


def test_imports_of_imports_are_preloaded_once():
    html = module("js/pages/chat.js")
    preloaded = re.findall(r'modulepreload" href="/static/v-\w+/([^"]+)"', html)
    assert len(preloaded) == len(set(preloaded))
    assert {"js/websocket.js", "js/realtime/feed.js", "js/chat/talk.js"} <= set(preloaded)
    assert html.rstrip().endswith(f'<script type="module" src="/static/v-{version()}/js/pages/chat.js"></script>')


def test_a_library_is_found_by_its_address():
    assert "/static/vendor/uplot.js" in needs("js/pages/dashboard.js")
    assert '<link rel="modulepreload" href="/static/vendor/uplot.js">' in module("js/pages/dashboard.js")
