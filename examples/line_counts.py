"""Counts the lines of a checkout, folder by folder, as slowly as a person reads."""

import sys
import time
from collections import Counter
from pathlib import Path

KINDS = {".py", ".js", ".html", ".css", ".md", ".yaml", ".toml"}
SKIPPED = {".git", ".venv", "node_modules", "data", "__pycache__", "vendor"}
GREEN, DIM, BOLD, RESET = "\033[32m", "\033[2m", "\033[1m", "\033[0m"


def main() -> None:
    """Print each file, then a bar for each folder. The argument is the whole time it may take, in seconds."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    files = sorted(_files(Path.cwd()))
    pause = seconds / max(len(files), 1)
    lines: Counter[str] = Counter()
    counted = 0
    for file in files:
        try:
            count = len(file.read_bytes().splitlines())
        except FileNotFoundError:
            continue  # Somebody works here, too.
        folder = "/".join(file.relative_to(Path.cwd()).parts[:-1][:2]) or "."
        lines[folder] += count
        counted += 1
        print(f"{count:7,} {DIM}{file.relative_to(Path.cwd())}{RESET}", flush=True)
        time.sleep(pause)
    most = max(lines.values(), default=1)
    print()
    for folder, count in lines.most_common():
        print(f"{folder:28} {count:7,} {GREEN}{'█' * max(1, count * 40 // most)}{RESET}", flush=True)
    print(f"{BOLD}{sum(lines.values()):,} lines in {counted} files{RESET}")


def _files(folder: Path) -> list[Path]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            found += [] if entry.name in SKIPPED else _files(entry)
        elif entry.suffix in KINDS and entry.is_file():
            found.append(entry)
    return found


if __name__ == "__main__":
    main()
