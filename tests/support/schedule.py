"""Which worker runs what: tests that share a live server stay together, so that it is started once.

Each server costs seconds to start, and something for as long as it lives; with every worker starting every variant, two
cores would be busy with little else.
"""

import re

from xdist.scheduler import LoadScopeScheduling

_VARIANT = re.compile(r"\[((?:uvicorn|daphne)-(?:sqlite|postgres))")
_IN_A_BROWSER = ("tests/browser/", "tests/pages/test_log_console.py")


class ByServer(LoadScopeScheduling):
    """One variant's tests to one worker; modules that drive a browser, which take longest, by themselves."""

    def _split_scope(self, nodeid: str) -> str:
        module, _, rest = nodeid.partition("::")
        variant = _VARIANT.search(rest)
        return variant[1] if variant and not module.startswith(_IN_A_BROWSER) else module
