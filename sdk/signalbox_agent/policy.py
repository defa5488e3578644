"""What may run here is the choice of whoever started the agent, never the server's."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from signalbox_agent.spec import Spec

SHELL = "/bin/sh"
_CLIMB = re.compile(r"(?<![^/=:,])\.\.(?![^/])")
_MEANS_SOMETHING_TO_A_SHELL = frozenset("|&;<>()$`\\*?[]{}~#!\n\r")


class NotAllowed(Exception):
    """The operator of this agent does not allow it; says which and why in one sentence."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's allow-list.

    A rule is a command line whose words may be patterns: `git *` is git with any arguments, `git status` just that,
    `python -m pytest *` any pytest, `sh *` any shell line, `*` everything. A rule's first word is compared as it is
    written, so `git *` allows the `git` of this agent's PATH and no other file of that name; a pattern there stands for
    slashes only if it has one. A path that matches a pattern does not climb out of it with `..`, unless that is a bare
    `*`, and a program's path means the same wherever the command works.
    """

    rules: Sequence[str] = ()
    env: Sequence[str] = ()
    shell: bool = False
    everything: bool = False
    base: Path = Path()

    def argv_of(self, spec: Spec) -> tuple[str, ...]:
        """The words to run for this spec. Raises NotAllowed."""
        self._check_env(spec)
        if spec.shell:
            if self._allows_everything or self.shell or self._allows(("sh", "-c", spec.shell)):
                return (SHELL, "-c", spec.shell)
            # A line without anything for a shell to do is an ordinary command.
            argv = _plain_words(spec.shell)
            if argv is None:
                raise NotAllowed("This agent runs no shell lines; its operator can allow them with --allow-shell.")
        else:
            argv = spec.argv
        if self._allows_everything:
            return argv
        if not self._allows(argv):
            raise NotAllowed(f"{shlex.join(argv)[:200]!r} is not on this agent's allow-list.")
        return (self._program(argv[0]), *argv[1:])

    def directory_of(self, spec: Spec) -> Path:
        """Where this spec runs: below the agent's own directory, unless everything is allowed. Raises NotAllowed."""
        base = self.base.resolve()
        directory = (base / spec.cwd).resolve()
        if not self._allows_everything and not directory.is_relative_to(base):
            raise NotAllowed(f"This agent works in {base} only, not in {spec.cwd}.")
        if not directory.is_dir():
            raise NotAllowed(f"There is no directory {spec.cwd or base} on this agent.")
        return directory

    def _program(self, name: str) -> str:
        """The file that a rule means by `./build.sh`: one of our directory, whatever lies in the command's."""
        return str(self.base.resolve() / name) if "/" in name else name

    @property
    def _allows_everything(self) -> bool:
        return self.everything or "*" in self.rules

    def _allows(self, argv: Sequence[str]) -> bool:
        return any(_matches(rule, argv) for rule in self.rules)

    def _check_env(self, spec: Spec) -> None:
        if self._allows_everything:
            return
        for name in spec.env:
            # PATH, LD_PRELOAD, GIT_SSH_COMMAND and their like would walk around the allow-list.
            if not any(fnmatchcase(name, pattern) for pattern in self.env):
                raise NotAllowed(f"This agent takes no variable {name[:80]}; --allow-env would let it.")


def _matches(rule: str, argv: Sequence[str]) -> bool:
    *first, last = shlex.split(rule) or [""]
    if argv and "/" in argv[0] and "/" not in (first or [last])[0]:
        return False  # A pattern of programs of the PATH, which is none of files.
    if first and last == "*":
        return len(argv) >= len(first) and all(map(_fits, argv, first))
    return len(argv) == len(first) + 1 and all(map(_fits, argv, (*first, last)))


def _fits(word: str, pattern: str) -> bool:
    """A pattern's `*` stands for slashes too, so in a path it must not stand for a way out: `logs/*` is below logs."""
    is_below = pattern == "*" or len(_CLIMB.findall(word)) <= len(_CLIMB.findall(pattern))
    return is_below and fnmatchcase(word, pattern)


def _plain_words(line: str) -> tuple[str, ...] | None:
    """The line's words, or None if only a shell can tell what it means."""
    if _MEANS_SOMETHING_TO_A_SHELL.intersection(line):
        return None
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    return tuple(words) if words and "=" not in words[0] else None
