"""Static files: whole, fresh, and nothing but static files."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.staticfiles.finders import get_finder
from django.test import RequestFactory
from whitenoise.responders import StaticFile

from project.files import StaticFiles, VersionedStorage, version
from tests.support.servers import LiveServer

pytestmark = pytest.mark.variants("sqlite")


def test_a_file_comes_whole_and_only_once(server: LiveServer) -> None:
    url = f"{server.url}/static/css/base.css"
    first = httpx.get(url)
    assert first.status_code == 200
    assert first.headers["content-type"].startswith("text/css")
    assert len(first.content) > 100

    again = httpx.get(url, headers={"If-Modified-Since": first.headers["last-modified"]})
    assert (again.status_code, again.content) == (304, b"")


def test_browser_libraries_are_served_from_here(server: LiveServer) -> None:
    assert httpx.get(f"{server.url}/static/vendor/pico.css").status_code == 200


@pytest.mark.parametrize("path", ["../project/settings.py", "..%2fproject%2fsettings.py", "nothing.js"])
def test_what_is_no_static_file_is_not_there(server: LiveServer, path: str) -> None:
    assert httpx.get(f"{server.url}/static/{path}").status_code == 404


def test_serving_files_says_nothing_to_the_terminal(server: LiveServer) -> None:
    httpx.get(f"{server.url}/static/css/base.css")
    assert "Warning" not in server.tail()


def test_a_file_that_changes_under_a_running_server_still_comes_whole(tmp_path: Path, rf: RequestFactory) -> None:
    path = tmp_path / "page.js"
    path.write_text("let a = 1")
    known = StaticFile(str(path), [("Content-Type", "text/javascript")])
    path.write_text("let a = 1, b = 2")

    answer = StaticFiles.serve(known, rf.get("/static/page.js"))

    assert answer.content == b"let a = 1, b = 2"
    assert answer["Content-Length"] == str(len(answer.content))
    assert "ETag" not in answer and "Last-Modified" not in answer


def test_a_file_named_with_its_version_is_kept_for_good(server: LiveServer) -> None:
    answer = httpx.get(f"{server.url}/static/v-{version()}/css/base.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.content == httpx.get(f"{server.url}/static/css/base.css").content


def test_a_page_from_before_a_deployment_gets_what_there_is_and_does_not_keep_it(server: LiveServer) -> None:
    answer = httpx.get(f"{server.url}/static/v-0123456789ab/css/base.css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "max-age=0, public")
    assert httpx.get(f"{server.url}/static/v-0123456789ab/css/nothing.css").status_code == 404
    assert httpx.get(f"{server.url}/elsewhere/v-{version()}/css/base.css").status_code == 404


def test_text_is_compressed_for_who_can_read_it(server: LiveServer) -> None:
    url = f"{server.url}/static/v-{version()}/css/base.css"
    with httpx.stream("GET", url) as plain, httpx.stream("GET", url, headers={"Accept-Encoding": "identity"}) as whole:
        assert plain.headers["content-encoding"] == "gzip"
        assert int(plain.headers["content-length"]) < int(whole.headers["content-length"]) / 2
        assert "content-encoding" not in whole.headers
        assert plain.headers["vary"] == "Accept-Encoding"


def test_what_came_compressed_is_known_again(server: LiveServer) -> None:
    url = f"{server.url}/static/css/base.css"
    tag = httpx.get(url).headers["etag"]
    assert httpx.get(url, headers={"If-None-Match": tag}).status_code == 304


def test_the_version_is_that_of_every_file(settings: Any, tmp_path: Path) -> None:
    settings.STATICFILES_DIRS = [tmp_path]
    seen = set()
    for text in ("let a", "let b", "let b"):
        (tmp_path / "a.js").write_text(text)
        get_finder.cache_clear()  # type: ignore[attr-defined]
        seen.add(version.__wrapped__())
    assert len(seen) == 2


def test_while_files_change_they_have_no_version(settings: Any) -> None:
    settings.DEBUG = True
    assert VersionedStorage().url("js/room.js") == "/static/js/room.js"
