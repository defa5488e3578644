"""What a command asks for, as the server sends it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Spec:
    """One command: either `argv` or a `shell` line, where and how it runs. Times in seconds."""

    argv: tuple[str, ...] = ()
    shell: str = ""
    cwd: str = ""
    env: dict[str, str] = field(default_factory=dict)
    timeout: float | None = None
    cols: int = 120
    rows: int = 40

    @classmethod
    def of(cls, data: Any) -> "Spec":
        """Raises ValueError with a sentence."""
        if not isinstance(data, dict):
            raise ValueError("The command has no spec.")
        argv, shell = data.get("argv") or (), data.get("shell") or ""
        if not isinstance(argv, list | tuple) or not all(isinstance(word, str) for word in argv):
            raise ValueError("argv must be a list of strings.")
        if not isinstance(shell, str) or bool(argv) == bool(shell):
            raise ValueError("A command needs either argv or a shell line.")
        if any("\0" in word for word in (*argv, shell)):
            raise ValueError("A command must not contain a NUL character.")
        env = data.get("env") or {}
        if not isinstance(env, dict):
            raise ValueError("env must be an object of strings.")
        timeout = data.get("timeout")
        if timeout is not None and (not isinstance(timeout, int | float) or timeout <= 0):
            raise ValueError("timeout must be a number of seconds above 0.")
        return cls(
            argv=tuple(argv),
            shell=shell,
            cwd=str(data.get("cwd") or ""),
            env={str(name): str(value) for name, value in env.items()},
            timeout=timeout,
            cols=_size(data.get("cols"), 120),
            rows=_size(data.get("rows"), 40),
        )


def _size(value: Any, default: int) -> int:
    return min(max(value, 1), 1000) if isinstance(value, int) and not isinstance(value, bool) else default
