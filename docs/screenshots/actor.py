#!/usr/bin/env python3
"""Plays the programs of the scene: what it prints, and how long it takes, goes by the name it is called by."""

import os
import sys
import time
from pathlib import Path

BOLD, DIM, RED, GREEN, YELLOW, BLUE, CYAN, OFF = (
    f"\033[{code}m" for code in ("1", "2", "31", "32", "33", "34", "36", "0")
)
PACE = float(os.environ.get("SCENE_PACE", "1"))


def say(line: str = "", seconds: float = 0.02, end: str = "\n") -> None:
    print(line, end=end, flush=True)
    time.sleep(seconds * PACE)


def progress(words: str, total: int, seconds: float) -> None:
    for done in range(total + 1):
        filled = done * 28 // total
        say(f"\r{words} {BLUE}{'━' * filled}{DIM}{'━' * (28 - filled)}{OFF} {done}/{total}", seconds / total, "")
    say()


def pytest(arguments: list[str]) -> int:
    say(f"{BOLD}============================= test session starts =============================={OFF}")
    say("platform linux -- Python 3.12.7, pytest-8.4.2, pluggy-1.6.0")
    names = ["basket", "checkout", "invoices", "mail", "prices", "search", "stock", "vouchers"]
    fails = "tests/payments" in arguments
    for n, name in enumerate(names):
        percent = f"[{(n + 1) * 100 // len(names):3d}%]"
        dots = "." * (18 + n * 3)
        say(f"tests/test_{name}.py {GREEN}{dots}{OFF}{' ' * (58 - len(dots) - len(name))}{CYAN}{percent}{OFF}", 0.25)
    if not fails:
        say(f"{GREEN}{BOLD}============================= 236 passed in 8.41s =============================={OFF}")
        return 0
    say(f"tests/payments/test_refund.py {GREEN}......{RED}F{OFF}")
    say(f"{RED}{BOLD}__________________ test_a_refund_is_paid_once __________________{OFF}")
    say(f"{BLUE}>{OFF}       assert ledger.balance(order) == 0")
    say(f"{RED}E       assert Decimal('-12.50') == 0{OFF}")
    say("tests/payments/test_refund.py:41: AssertionError")
    say(f"{RED}{BOLD}======================= 1 failed, 242 passed in 9.02s ========================={OFF}")
    return 1


def ruff(arguments: list[str]) -> int:
    say(f"{YELLOW}warning{OFF}: `shop/legacy.py` is excluded")
    say(f"{GREEN}All checks passed!{OFF} 214 files", 0.6)
    return 0


def docker(arguments: list[str]) -> int:
    layers = ["FROM python:3.12-slim", "COPY requirements.lock .", "RUN pip install -r requirements.lock", "COPY . ."]
    for n, layer in enumerate(layers):
        say(f"{BLUE}#{n + 5} [{n + 1}/{len(layers)}] {layer}{OFF}", 0.4)
        if n == 2:
            progress("#7 downloading", 42, 2.0)
        say(f"{DIM}#{n + 5} DONE {0.3 + n * 0.7:.1f}s{OFF}")
    say(f"{GREEN}naming to registry.example/shop:1.4.0{OFF}")
    return 0


def evaluate(arguments: list[str]) -> int:
    progress("loading shards", 16, 2)
    for step in range(1, 2000):
        loss = 2.1 / (1 + step * 0.05) + 0.31
        say(
            f"step {step:>5}  loss {YELLOW}{loss:.4f}{OFF}  {DIM}{4180 + step % 37} tok/s{OFF}",
            0.12,
        )
    return 0


def deploy(arguments: list[str]) -> int:
    say(f"{CYAN}==>{OFF} {BOLD}staging.example{OFF} shop 1.3.9 → 1.4.0")
    for host in ("web-1", "web-2", "worker-1"):
        say(f"{GREEN}✓{OFF} {host:<10} {DIM}healthy after{OFF} 1.{len(host)} s", 0.3)
    return 0


def mkdocs(arguments: list[str]) -> int:
    say("INFO    -  Building documentation...")
    say(
        f"{YELLOW}WARNING -  Doc file 'guide/refunds.md' contains a link to 'payments.md', which is not found{OFF}", 0.2
    )
    say(f"{RED}Aborted with 1 warnings in strict mode!{OFF}")
    return 1


PROGRAMS = {"pytest": pytest, "ruff": ruff, "docker": docker, "evaluate": evaluate, "deploy": deploy, "mkdocs": mkdocs}

if __name__ == "__main__":
    sys.exit(PROGRAMS[Path(sys.argv[0]).name](sys.argv[1:]))
