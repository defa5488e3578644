"""YAML as a request body."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from apps.accounts.refusals import Invalid, TooLarge
from apps.swarm.definition import MAX_CHARACTERS


class YamlParser(BaseParser):
    """A project's YAML text, as it is: `application/yaml`, `text/yaml` or `text/plain`."""

    media_type = "application/yaml"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = stream.read(MAX_CHARACTERS * 4 + 1)
        if len(body) > MAX_CHARACTERS * 4:
            raise TooLarge(f"A project may have at most {MAX_CHARACTERS} characters.")
        try:
            return {"yaml": body.decode("utf-8")}
        except UnicodeDecodeError:
            raise Invalid("The text is not UTF-8.") from None


class TextYamlParser(YamlParser):
    media_type = "text/yaml"


class PlainTextParser(YamlParser):
    media_type = "text/plain"
