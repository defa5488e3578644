"""Static files of every app, straight from where they are, and kept by browsers as long as they are the same.

Pages name them `/static/v-<version>/…`, where the version is that of all files together. Modules import each other by
relative addresses, so the modules of two versions never meet in one page, and what was fetched once is never asked for
again. Without a version (`/static/…`) a file can be had too: by pages of other sites, who ask each time.
"""

import re
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

FOREVER = "public, max-age=31536000, immutable"

_VERSIONED = re.compile(r"^(?P<prefix>.*/)v-(?P<version>[0-9a-f]{12})/(?P<name>.+)$")


@cache
def version() -> str:
    """Twelve hexadecimal digits that change when any static file does; known once per process."""
    digest = blake2b(digest_size=6)
    for finder in get_finders():
        for name, storage in finder.list([]):
            digest.update(f"{name}\0".encode())
            digest.update(Path(storage.path(name)).read_bytes())
    return digest.hexdigest()


class VersionedStorage(StaticFilesStorage):
    """`{% static %}` with the version in the address; not in DEBUG, where files change under a running server."""

    def url(self, name: str | None) -> str:
        return super().url(name if settings.DEBUG else f"v-{version()}/{name}")


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise that knows versions, and whose answers are whole and compressed.

    Whole, since under ASGI Django reads streamed files whole anyway, with a warning.
    """

    _gzip = GZipMiddleware(lambda request: HttpResponse())

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        named = _VERSIONED.match(request.path_info)
        if named is None or named["prefix"] != self.static_prefix:
            return super().__call__(request)
        file = self.files.get(named["prefix"] + named["name"])
        if file is None:
            return self.get_response(request)
        answer = self.serve(file, request)
        # A page from before a deployment gets what there is now, and may not keep it.
        if named["version"] == version():
            answer["Cache-Control"] = FOREVER
        return answer

    @classmethod
    def serve(cls, static_file: Any, request: HttpRequest) -> HttpResponse:
        meta = request.META
        if asked := meta.get("HTTP_IF_NONE_MATCH"):
            meta = {**meta, "HTTP_IF_NONE_MATCH": asked.removeprefix("W/")}  # compressing made it weak
        found = static_file.get_response(request.method, meta)
        response = HttpResponse(found.file.read() if found.file else b"", status=int(found.status))
        if found.file:
            found.file.close()
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        if found.status == 200 and found.file and response["Content-Length"] != str(len(response.content)):
            # The file has changed since this process started: what was known of it is no longer true.
            response["Content-Length"] = str(len(response.content))
            del response["ETag"], response["Last-Modified"]
        if found.status == 200:
            cls._gzip.process_response(request, response)
        return response
