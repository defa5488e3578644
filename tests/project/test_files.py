"""Static files: whole, fresh, and nothing but static files."""

from pathlib import Path

import httpx
import pytest
from django.test import RequestFactory
from whitenoise.responders import StaticFile

from project.files import StaticFiles
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
