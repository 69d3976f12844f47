"""How each command of the command line is used, for its --help."""

import argparse
from collections.abc import Mapping
from textwrap import fill
from typing import Final

OVERVIEW: Final = """\
examples:
  bus-console demo                         the sample program on Python's own library: look around
  bus-console run script.py --fast         your program, with the console on it
  bus-console run -m shop.server 8000      a module, as python -m runs it
  bus-console run shop.app:make_bus        a function that returns a Bus
  bus-console attach                       a program that runs with BUS_CONSOLE=1
  echo 'search.query "x"' | bus-console repl NAME
  bus-console call NAME search.query "thread pool" limit=5
  bus-console calls NAME 'took>10ms outcome:failed' --json
  bus-console record NAME -o today.jsonl; bus-console open today.jsonl
  bus-console export today.jsonl -o today.pftrace --from 10s --to 12s
  bus-console export today.jsonl -o slow.csv --filter 'service:store took>10ms'
"""
_EACH: Final[Mapping[str, tuple[str, ...]]] = {
    "demo": ("bus-console demo", "bus-console demo ~/src --theme light"),
    "run": (
        "bus-console run script.py --fast", "bus-console run -m shop.server 8000", "bus-console run shop.app:make_bus",
        "bus-console run --theme light script.py        options of the console stand before the program",
    ),
    "attach": ("bus-console attach", "bus-console attach shop", "bus-console attach 4711"),
    "web": ("bus-console web shop --port 8080",),
    "open": ("bus-console open shop.jsonl", "bus-console open shop.jsonl billing.jsonl"),
    "ps": ("bus-console ps", "bus-console ps --json"),
    "repl": (
        "bus-console repl shop", "echo 'search.query \"x\"' | bus-console repl shop",
        "bus-console repl --open shop.jsonl",
    ),
    "record": ("bus-console record shop -o shop.jsonl", "bus-console record script.py -o runs/"),
    "dump": ("bus-console dump shop", "bus-console dump shop -o shop.jsonl"),
    "export": (
        "bus-console export shop.jsonl -o shop.html",
        "bus-console export shop.jsonl -o slow.csv --filter 'service:store took>10ms'",
        "bus-console export shop.jsonl -o slow.pftrace --from 10s --to 12s",
    ),
    "completion": ('eval "$(bus-console completion bash)"',),
}  # fmt: skip


def add(adds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Have the --help of each command end with its examples, whatever else stands there."""
    for name, parser in adds.choices.items():
        lines = _EACH.get(name)
        if lines is None:  # one for scripts, which has its own
            continue
        parser.description = fill(parser.description or "", 78) or None
        parser.epilog = "\n".join(["examples:", *(f"  {line}" for line in lines)]) + (
            f"\n\n{parser.epilog}" if parser.epilog else ""
        )
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
