"""What states are called where people read them, and how sizes are written.

On the wire and in `data-status` states keep their codes. Pages hand these words to their scripts: `data-words`
of the body, read by static/js/elements/states.js.
"""

WORDS = {
    "queued": "waiting",  # for an agent
    "sent": "waiting",  # in the inbox of one
    "waiting": "not started",  # its stage has not come yet
    "succeeded": "completed",
    "interrupted": "cancelled",
}
"""Only what is called otherwise than its code."""


def in_words(status: str) -> str:
    return WORDS.get(status, status)


def in_megabytes(size: float) -> str:
    """As static/js/elements/agent-card.js writes it: `28 MB`."""
    return f"{int(size / 1048576 + 0.5)} MB"
