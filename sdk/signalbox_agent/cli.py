"""The command line of an agent."""

import argparse
import asyncio
import logging
import os
import shlex
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from signalbox_agent import __version__, leftovers
from signalbox_agent.agent import Agent, Settings
from signalbox_agent.client import socket_url
from signalbox_agent.lock import Held, Lock
from signalbox_agent.policy import Policy

USAGE, HELD = 2, 3
EXIT_CODES = "exit codes: 0 stopped, 2 wrong usage, 3 lock held, 4 refused by the server, 5 gave up waiting for it"


def main(argv: Sequence[str] | None = None) -> int:
    """Run an agent until it is stopped."""
    options = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format=f"%(asctime)s {options.name} %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("websockets").setLevel(logging.WARNING)
    try:
        settings = _settings(options)
        lock = _only_one(options.lock) if options.lock else None
    except (ValueError, OSError) as problem:
        print(f"signalbox-agent: {problem}", file=sys.stderr)
        return USAGE
    except Held as held:
        print(f"signalbox-agent: {held}", file=sys.stderr)
        return HELD
    try:
        return asyncio.run(_run(settings))
    finally:
        if lock:
            lock.release()


async def _run(settings: Settings) -> int:
    agent = Agent(settings, __version__)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, agent.leave)
    return await agent.run()


def _only_one(path: Path) -> Lock:
    """The lock, and an end to what its last holder has left running. Raises Held or OSError."""
    lock = Lock(path)
    leftovers.keep_notes(path.with_name(f"{path.name}.running"))
    return lock


def _settings(options: argparse.Namespace) -> Settings:
    """Raises ValueError or OSError with a sentence."""
    socket_url(options.url)
    if options.slots < 1:
        raise ValueError(f"--slots must be 1 or more, not {options.slots}")
    for rule in options.allow:
        try:
            shlex.split(rule)
        except ValueError as problem:
            raise ValueError(f"--allow {rule!r}: {problem}") from None
    if not options.cwd.is_dir():
        raise ValueError(f"there is no directory {options.cwd}")
    return Settings(
        url=options.url,
        key=_key(options.key_file),
        name=options.name,
        slots=options.slots,
        labels=tuple(options.label),
        give_up_after=options.give_up_after,
        policy=Policy(
            rules=tuple(options.allow),
            env=tuple(options.allow_env),
            shell=options.allow_shell,
            everything=options.allow_all,
            base=options.cwd,
        ),
    )


def _key(key_file: Path | None) -> str:
    """The API key: from the file, else from SIGNALBOX_KEY. Never an argument, since everybody can see those."""
    key = key_file.read_text().strip() if key_file else os.environ.get("SIGNALBOX_KEY", "").strip()
    if not key:
        raise ValueError("no API key: give --key-file, or set SIGNALBOX_KEY_FILE or SIGNALBOX_KEY")
    return key


def _parser() -> argparse.ArgumentParser:
    environ = os.environ
    parser = argparse.ArgumentParser(
        prog="signalbox-agent",
        description="Connects this machine to Signalbox and runs the commands that you allow.",
        epilog=EXIT_CODES,
    )
    add = parser.add_argument
    add("--url", default=environ.get("SIGNALBOX_URL", "http://127.0.0.1:8000"), help="the server (SIGNALBOX_URL)")
    add(
        "--key-file",
        type=Path,
        default=environ.get("SIGNALBOX_KEY_FILE") or None,
        help="file with the API key (SIGNALBOX_KEY_FILE; or the key itself in SIGNALBOX_KEY)",
    )
    add("--name", default=socket.gethostname(), help="the agent's name, unique in its team (default: this host's)")
    add("--slots", type=int, default=1, help="how many commands may run side by side (default 1)")
    add("--label", action="append", default=[], metavar="LABEL", help="what this agent is for; repeat for more")
    add("--allow", action="append", default=[], metavar="RULE", help="a command that may run, e.g. 'git *'; repeat")
    add("--allow-env", action="append", default=[], metavar="NAME", help="a variable that a command may set; repeat")
    add("--allow-shell", action="store_true", help="run shell lines (that is: anything)")
    add("--allow-all", action="store_true", help="run everything, everywhere, with any environment")
    add("--cwd", type=Path, default=Path.cwd(), help="where commands work (default: here)")
    add("--lock", type=Path, metavar="FILE", help="be the only agent with this lock file")
    add("--give-up-after", type=float, metavar="SECONDS", help="end when the server was gone for so long")
    add("--verbose", action="store_true", help="log more")
    add("--version", action="version", version=f"signalbox-agent {__version__}")
    return parser
