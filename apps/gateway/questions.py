"""What an address asks for: numbers and filters in its query. A wrong one is refused in words."""

import re

from django.http import QueryDict

from apps.accounts.refusals import Invalid
from apps.events import declare
from apps.events.search import Filter

MOST_TEXTS = 8
LONGEST_TEXT = 200
_WHERE = "where."
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}")


def number_in(query: QueryDict, name: str, default: int) -> int:
    given = query.get(name, "")
    if given == "":
        return default
    try:
        number = int(given)
    except ValueError:
        number = -1
    if not 0 <= number < 2**62:
        raise Invalid(f"`{name}` is a whole number, 0 or more.")
    return number


def is_yes(query: QueryDict, name: str) -> bool:
    given = query.get(name, "")
    if given not in ("", "0", "1"):
        raise Invalid(f"`{name}` is 0 or 1.")
    return given == "1"


def filter_in(query: QueryDict) -> Filter | None:
    """`type=`, `where.<field>=` and `match=`, each of them several times if need be; None without any."""
    types = query.getlist("type")
    for name in types:
        if name not in declare.events and name not in declare.whispers:
            raise Invalid(f"`type`: there are no events {name[:64]!r}.")
    wheres = [name for name in query if name.startswith(_WHERE)]
    for name in wheres:
        if not _FIELD.fullmatch(name.removeprefix(_WHERE)):
            raise Invalid(f"`{name[:80]}`: after the point comes the name of a field of `data`.")
    if len(wheres) > MOST_TEXTS:
        raise Invalid(f"At most {MOST_TEXTS} fields in `where.`.")
    if not (types or wheres or "match" in query):
        return None
    return Filter(
        types=frozenset(types),
        where={name.removeprefix(_WHERE): frozenset(_texts_in(query, name)) for name in wheres},
        match=tuple(dict.fromkeys(_texts_in(query, "match", least=1))),
    )


def _texts_in(query: QueryDict, name: str, least: int = 0) -> list[str]:
    texts = query.getlist(name)
    if len(texts) > MOST_TEXTS:
        raise Invalid(f"At most {MOST_TEXTS} times `{name}`.")
    if any(not least <= len(text) <= LONGEST_TEXT for text in texts):
        raise Invalid(f"`{name}` is a text of {least} to {LONGEST_TEXT} characters.")
    return texts
