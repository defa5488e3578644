"""What people see of what a program printed, as far as it can be said without drawing it.

Escape sequences and control characters are left out, as the browser does (`static/js/text/sgr.js`). What moves the
cursor writes over what stands there, or apart from it; only the browser knows what is left then.
"""

import re

_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_RETURNS = re.compile(r"\r(?!\n|\Z)")
# What stands before the first 1 or 2 cannot hold one: with `[0-?]*` there, so many digits would be tried in every pair.
_MOVES = re.compile(r"\x1b\[(?:[0-?]*[CDGPX@]|[03-?]*[12][0-?]*K)")


def plain(text: str) -> str:
    """`text` as it is seen, newlines and tabs kept."""
    if "\x1b" in text:
        text = _SEQUENCES.sub("", text)
    return text if _is_clean(text) else _CONTROLS.sub("", text)


def moves(text: str) -> bool:
    """Whether something in `text` may write over, apart from, or take away what was printed before it."""
    if "\t" in text or "\x08" in text or ("\r" in text and _RETURNS.search(text)):
        return True
    return "\x1b" in text and _MOVES.search(text) is not None


def _is_clean(text: str) -> bool:
    # Nearly all text is ASCII of whole lines, and this is the cheapest way to know.
    return text.isascii() and text.replace("\n", "").isprintable()
