"""Static files of every app, straight from where they are."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise whose answers are whole: under ASGI, Django reads streamed files whole anyway, with a warning."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
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
        return response
