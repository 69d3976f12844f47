"""How the commands about programs and files are written: `bus-console ps`, `record`, `export` and those beside them."""

import argparse
import sys
from functools import partial

from console.cli import json_fields, subcommands
from console.cli.shell_scripts import SCRIPTS
from console.export import formats
from console.language import durations, filter_help
from console.language.filters import Filter
from console.language.tokens import LanguageError


def add(adds: "argparse._SubParsersAction[argparse.ArgumentParser]", parser: argparse.ArgumentParser) -> None:
    """Add all of them to the commands of the command line, whose PARSER is asked what can be completed."""
    _add_targets(adds)
    _add_export(adds)
    _add_completion(adds, parser)


def _add_targets(adds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ps = adds.add_parser(
        "ps", help="list the programs that can be attached to", epilog=json_fields.text(json_fields.PROGRAM)
    )
    ps.add_argument("--json", action="store_true", help="one JSON object a line")
    ps.set_defaults(carry_out=subcommands.ps)

    repl = adds.add_parser(
        "repl",
        help="execute commands line by line, in a terminal or from a pipe",
        description="Without a terminal, lines come from stdin; exit status 1: a call failed, 2: it could not be made.",
    )
    what = repl.add_mutually_exclusive_group()
    what.add_argument("target", metavar="TARGET", nargs="?", help="name, pid or socket (default: the only program)")
    what.add_argument("--demo", action="store_true", help="start the sample program for it")
    what.add_argument("--open", metavar="FILE", nargs="+", help="look at a recording, or at several in one view")
    repl.set_defaults(carry_out=subcommands.repl)

    record = adds.add_parser("record", help="write what happens to a session file, until Ctrl-C or the program's end")
    record.add_argument("target", metavar="TARGET", help="name, pid or socket of a program, or what `run` takes")
    record.add_argument("-o", "--output", metavar="FILE", required=True, help="the session file; a folder is fine too")
    record.set_defaults(carry_out=subcommands.record)

    dump = adds.add_parser("dump", help="write what a program did in its last 30 s to a session file")
    dump.add_argument("target", metavar="NAME|PID|SOCKET", nargs="?", help="which one (default: the only one)")
    dump.add_argument(
        "-o", "--output", metavar="FILE", default=".", help="the session file, or a folder for it (default: here)"
    )
    dump.set_defaults(carry_out=subcommands.dump)


def _add_export(adds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    export = adds.add_parser(
        "export",
        help="turn recordings into a file for another tool",
        description="The file's ending says the format; several recordings become one file, where the format has room.",
        epilog=f"formats:\n{formats.table()}\n\n{filter_help.text()}",
    )
    export.add_argument("sessions", metavar="SESSION", nargs="+", help="a session file (.jsonl)")
    export.add_argument("-o", "--output", metavar="FILE", required=True, help="what is written")
    export.add_argument("--format", metavar="NAME", choices=formats.BY_NAME, default="", help="whatever FILE is called")
    export.add_argument(
        "--filter", "--where", metavar="FILTER", type=_filter, default="",
        help="the calls it asks for: index.*, outcome:failed, 'service:store took>10ms', ...",
    )  # fmt: skip
    since = "of the time since the first moment of the recording (1.5s, 250ms, 2min)"
    export.add_argument("--from", dest="begin", metavar="TIME", type=_length, default=0, help=f"begin {since}")
    export.add_argument("--to", dest="end", metavar="TIME", type=_length, help="end, as --from")
    export.add_argument("--call", metavar="ID", type=int, default=0, help="what a sequence diagram shows")
    export.set_defaults(carry_out=subcommands.export)


def _add_completion(
    adds: "argparse._SubParsersAction[argparse.ArgumentParser]", parser: argparse.ArgumentParser
) -> None:
    completion = adds.add_parser(
        "completion",
        help="print a script that makes a shell complete all this",
        description="The script says in its first line where it belongs.",
    )
    completion.add_argument("shell", metavar="SHELL", choices=SCRIPTS, help=", ".join(SCRIPTS))
    completion.set_defaults(carry_out=_print_script)

    complete = adds.add_parser("complete")  # not in the help: it is what the script asks
    complete.add_argument("shell", choices=SCRIPTS)
    complete.add_argument("words", nargs=argparse.REMAINDER)
    complete.set_defaults(carry_out=partial(_complete, parser=parser))


def _print_script(given: argparse.Namespace) -> int:
    sys.stdout.write(SCRIPTS[given.shell])
    return 0


def _complete(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from console.cli.shell_completion import complete

    return complete(given, parser)


def _length(text: str) -> int:
    try:
        return durations.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _filter(text: str) -> Filter:
    from console.language.filter_parser import parse

    try:
        return parse(text)
    except LanguageError as error:
        from console.render.results import underlined

        raise argparse.ArgumentTypeError(f"{error.message}\n{underlined(text, error.span).plain}") from None
