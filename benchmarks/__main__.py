"""`python -m benchmarks [name …]`: a JSON line and a table row for each; fails when one does not reach its mark."""

import argparse
import gc
import sys

import uvloop

from benchmarks import fanout, idle, ingest, short_poll, storm
from benchmarks.meters import Bystanders
from benchmarks.report import HEADER, Outcome
from benchmarks.servers import allow_many_files

BENCHMARKS = {
    "fanout_burst": fanout.burst,
    "fanout_paced": fanout.paced,
    "fanout_heavy": fanout.heavy,
    "fanout_calm": fanout.calm,
    "idle": idle.idle,
    "ingest_sqlite": ingest.sqlite,
    "ingest_postgres": ingest.postgres,
    "resume_storm": storm.resume_storm,
    "short_poll": short_poll.short_poll,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Signalbox beside its peers.")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    allow_many_files()
    gc.disable()  # pauses of the generator would look like the server's
    outcomes: list[Outcome] = []
    for name in names:
        bystanders = Bystanders()
        outcome = uvloop.run(BENCHMARKS[name]())
        gc.collect()
        outcome.figures["took_seconds"] = round(bystanders.seconds, 1)
        outcome.figures["cores_busy_elsewhere"] = round(bystanders.cores, 2)
        print(outcome.json_line, flush=True)
        print(f"{HEADER}\n{outcome.row}" if not outcomes else outcome.row, file=sys.stderr, flush=True)
        outcomes.append(outcome)
    return 0 if all(outcome.reached for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
