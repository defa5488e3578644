"""What states are called where people read them. On the wire and in `data-status` they keep their codes.

Pages hand this to their scripts (`data-words` of the body, read by static/js/elements/states.js).
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
