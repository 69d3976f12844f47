"""`python -m tests.bench`: how fast the bus is beside what people use today, and whether it reaches its goals."""

import argparse
import json
import os
import sys
from pathlib import Path

from tests.bench import run, table
from tests.bench.measure import QUICK, Sizes


def main() -> None:
    """Measure and print."""
    options = _options()
    for name in ("BUS_CONSOLE", "BUS_TRACE", "BUS_TRACE_FILE"):
        os.environ.pop(name, None)  # what is on is said here
    sizes = QUICK if options.quick else Sizes()
    rounds = options.rounds or (1 if options.quick else 7)
    one_cpu = run.run(sizes, rounds, options.only, _tell)
    # For information only: fewer rounds do.
    all_cpus = run.run(sizes, max(1, rounds // 2), options.only, _tell, pin=False) if run.can_pin() else {}
    found = table.report(one_cpu, all_cpus, rounds)
    print(table.text(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it there, too")
    parser.add_argument("--rounds", type=_at_least_one, metavar="N", help="how often everything is measured (7)")
    parser.add_argument("--only", choices=run.NAMES, default="", metavar="NAME", help=f"one of: {', '.join(run.NAMES)}")
    parser.add_argument("--quick", action="store_true", help="tiny and once: shows that it works, not how fast it is")
    return parser.parse_args()


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        message = f"{text} is not a number from 1 on"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
