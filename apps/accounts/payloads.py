"""What goes over REST is bounded: the size and depth of a body, and the length of a page."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from apps.accounts.nesting import is_deeper
from apps.accounts.refusals import TooLarge


class JsonBody(BaseParser):
    """JSON of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes, nested no deeper than a frame may be; no NaN, no infinity."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        longest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(longest + 1)
        if len(body) > longest:
            raise TooLarge(f"A body may have {longest} bytes, not more.")
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"This is not JSON: {error.msg}.") from error
        deepest = settings.LIMITS["depth"]
        if is_deeper(value, body, deepest):
            raise ParseError(f"JSON may be nested {deepest} levels deep, not more.")
        return value


class Page(LimitOffsetPagination):
    """`?limit=&offset=`, 50 rows unless asked, 500 at most."""

    max_limit = 500
