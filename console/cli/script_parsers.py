"""How the commands for scripts are written: `bus-console call TARGET COMMAND …` and those beside it."""

import argparse
from collections.abc import Callable, Mapping
from textwrap import fill
from typing import Final

from console.cli import json_fields
from console.language import filter_help

_TARGET: Final = "name, pid or socket of a program; - for the only one"
_ANY_TARGET: Final = f"{_TARGET}; or a session file"
_STATUS: Final = "Exit status 1: the call failed; 2: it could not be made."


def add(adds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add all of them to the commands of the command line."""
    _add_acts(adds)
    _add_calls(adds)
    _add_lists(adds)


def _add_acts(adds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    for verb, noun, what, example, fields in (
        ("call", "COMMAND", "execute a command, wait and print its result", "say_hello Ann times=2", json_fields.REPLY),
        ("fire", "EVENT", "fire an event and print who receives it", "file.changed path=a.py", json_fields.FIRE),
    ):
        act = _new(
            adds, verb, what, f"ARGS are VALUE or NAME=VALUE. {_STATUS}", example=f"bus-console {verb} shop {example}",
            fields=fields,
        )  # fmt: skip
        act.add_argument("target", metavar="TARGET", help=_TARGET)
        act.add_argument("name", metavar=noun, help=f"the {noun.lower()}")
        act.add_argument(
            "args", metavar="ARGS", nargs="*", default=[], help="its arguments, as in the REPL; -- before one like --x"
        )


def _add_calls(adds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    calls = _new(
        adds, "calls", "list calls: those in flight, then the last ones",
        example="bus-console calls shop 'took>10ms outcome:failed' --limit 5 --json", fields=json_fields.CALL,
        filters=True,
    )  # fmt: skip
    calls.add_argument("target", metavar="TARGET", help=_ANY_TARGET)
    calls.add_argument(
        "filter", metavar="FILTER", nargs="*", default=[], help="which calls; between quotes, for the shell"
    )
    calls.add_argument("--limit", metavar="N", type=_positive, default=20, help="how many at most (default: 20)")

    watch = _new(
        adds, "watch", "print calls as they end, until Ctrl-C or the program's end",
        example="bus-console watch shop 'name:say_* took>1s' --count 1", fields=json_fields.CALL, filters=True,
    )  # fmt: skip
    watch.add_argument("target", metavar="TARGET", help=_TARGET)
    watch.add_argument(
        "filter", metavar="FILTER", nargs="*", default=[], help="which calls; between quotes, for the shell"
    )
    watch.add_argument("--count", metavar="N", type=_positive, default=0, help="end after so many calls")


def _add_lists(adds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    top = _new(
        adds, "top", "list the busiest commands of the last 10 s",
        example="bus-console top shop", fields=json_fields.TOP,
    )  # fmt: skip
    top.add_argument("target", metavar="TARGET", help=_ANY_TARGET)
    top.add_argument("--limit", metavar="N", type=_positive, default=20, help="how many at most (default: 20)")

    services = _new(
        adds, "services", "list the services: state, mailbox, figures", example="bus-console services shop --json",
        fields=json_fields.SERVICE,
    )  # fmt: skip
    services.add_argument("target", metavar="TARGET", help=_ANY_TARGET)

    problems = _new(
        adds, "problems", "list what is wrong, with the proof and what to do",
        example="bus-console problems shop --seconds 10 --check", fields=json_fields.PROBLEM,
    )  # fmt: skip
    problems.add_argument("target", metavar="TARGET", help=_ANY_TARGET)
    problems.add_argument(
        "--seconds", metavar="S", type=_seconds, default=1.0, help="how long a program is looked at (default: 1)"
    )
    problems.add_argument("--check", action="store_true", help="exit status 1 if anything is wrong")


def _new(
    adds: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, about: str, more: str = "", *,
    example: str, fields: Mapping[str, str], filters: bool = False,
) -> argparse.ArgumentParser:  # fmt: skip
    parts = [f"example:\n  {example}", json_fields.text(fields), *([filter_help.text()] if filters else [])]
    parser = adds.add_parser(
        name, help=about, description=fill(f"{about[0].upper()}{about[1:]}. {more}".strip()), epilog="\n\n".join(parts),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(carry_out=_later(name))
    return parser


def _later(name: str) -> Callable[[argparse.Namespace], int]:
    """What carries it out is imported when it is wanted."""

    def carry_out(given: argparse.Namespace) -> int:
        from console.cli import oneshot

        status: int = getattr(oneshot, name)(given)
        return status

    return carry_out


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 1_000_000_000:  # noqa: PLR2004  more is never kept
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1_000_000:  # noqa: PLR2004  nan is neither
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
