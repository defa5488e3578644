"""Draws a progress bar in one line, and a coloured report at the end."""

import sys
import time

PHASES = ("Collecting", "Comparing", "Summing up")
WIDTH = 40
CYAN, GREEN, BOLD, RESET = "\033[36m", "\033[32m", "\033[1m", "\033[0m"


def main() -> None:
    """The argument is how long it takes, in seconds."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 9.0
    for number, phase in enumerate(PHASES, start=1):
        print(f"{BOLD}{number}/{len(PHASES)} {phase}{RESET}", flush=True)
        for percent in range(0, 101, 2):
            done = WIDTH * percent // 100
            print(f"\r  {CYAN}{'█' * done}{'░' * (WIDTH - done)}{RESET} {percent:3} %", end="", flush=True)
            time.sleep(seconds / len(PHASES) / 51)
        print()
    print(f"{GREEN}✔ Everything was looked at.{RESET}")


if __name__ == "__main__":
    main()
