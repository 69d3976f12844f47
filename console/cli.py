"""The command line: what can be written, and who carries it out.

Who starts a program must not wait for what it does not use: `console.subcommands` imports each part when it is needed.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import metadata

from bus.trace.redact import escape
from console import examples, script_parsers, streams, subcommands
from console.appearance import THEME_NAMES, config_path
from console.export import formats
from console.language import durations, filter_help
from console.language.filters import Filter
from console.language.tokens import LanguageError
from console.shell_scripts import SCRIPTS
from console.target import TargetError

USER_MISTAKE = 2
_INTERRUPTED = 130
_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the command line ARGV; the exit status is 2 for a user's mistake, which is said in one sentence."""
    streams.make_usable()
    given = _parser().parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        status: int = given.carry_out(given)
        sys.stdout.flush()
    except TargetError as error:
        return _say(str(error))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        streams.forget_unwritten()
        return _BROKEN_PIPE
    except OSError as error:  # a full disk, a file that may not be read: no bug of ours, and nothing to trace
        streams.forget_unwritten()
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror or error}")
    return status


def _say(mistake: str) -> int:
    with suppress(OSError):  # stderr may be on the same full disk
        print(f"bus-console: {escape(mistake, keep=chr(10))}", file=sys.stderr)
    return USER_MISTAKE


def _leave(number: int, _frame: object) -> None:
    """As an exception, so that children, sockets and the terminal are left in order."""
    sys.exit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bus-console",
        description="See what every thread of a program on the bus is doing, act on it, keep the evidence.",
        epilog=f"{examples.OVERVIEW}\nsettings (theme, what is kept, thresholds of problems):\n  {config_path()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bus-console {_version()}")
    adds = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_screens(adds)
    _add_others(adds)
    script_parsers.add(adds)
    _add_completion(adds)
    examples.add(adds)
    return parser


def _add_screens(adds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = adds.add_parser("demo", help="start the sample program and open the console on it")
    demo.add_argument("folder", metavar="FOLDER", nargs="?", help="what to index (default: Python's own library)")
    demo.set_defaults(carry_out=subcommands.demo)

    run = adds.add_parser(
        "run",
        help="start your program and open the console on it; ends with it",
        description="The exit status is the program's. What a pipe or a file brings to stdin is handed on to it.",
    )
    run.add_argument("-m", dest="module", action="store_true", help="TARGET is a module, run as by python -m")
    run.add_argument("target", metavar="TARGET", help="script.py, or package.module:factory that returns a Bus")
    run.add_argument("args", metavar="ARGS", nargs=argparse.REMAINDER, help="handed to the program")
    run.set_defaults(carry_out=subcommands.run)

    attach = adds.add_parser(
        "attach",
        help="open the console on a program that runs",
        description="By its PID also one without an endpoint, where both run on the same Python, 3.14 or newer.",
    )
    attach.add_argument("target", metavar="NAME|PID|SOCKET", nargs="?", help="which one (default: the only one)")
    attach.set_defaults(carry_out=subcommands.attach)

    web = adds.add_parser(
        "web",
        help="open the console on a program that runs, in a browser",
        description="It needs: pip install 'bus-console[web]'. Only this machine reaches it, by a secret address.",
    )
    web.add_argument("target", metavar="NAME|PID|SOCKET", nargs="?", help="which one (default: the only one)")
    web.add_argument("--port", metavar="N", type=int, default=8000, help="where (default: 8000; 0: one that is free)")
    web.set_defaults(carry_out=subcommands.web)

    opens = adds.add_parser("open", help="look at a recording, or at those of several programs in one view")
    opens.add_argument("sessions", metavar="SESSION", nargs="+", help="a session file (.jsonl), or a folder of some")
    opens.set_defaults(carry_out=subcommands.open_session)

    for screens in (demo, run, attach, web, opens):
        names = ", ".join(THEME_NAMES)
        screens.add_argument("--theme", metavar="NAME", choices=THEME_NAMES, default="", help=f"colours: {names}")
        screens.add_argument("--ascii", action="store_true", help="draw with ASCII only")


def _add_others(adds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ps = adds.add_parser("ps", help="list the programs that can be attached to")
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

    _add_export(adds)


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


def _add_completion(adds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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
    complete.set_defaults(carry_out=_complete)


def _print_script(given: argparse.Namespace) -> int:
    sys.stdout.write(SCRIPTS[given.shell])
    return 0


def _complete(given: argparse.Namespace) -> int:
    from console.shell_completion import complete

    return complete(given, _parser())


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
        from console.render import underlined

        raise argparse.ArgumentTypeError(f"{error.message}\n{underlined(text, error.span).plain}") from None


def _version() -> str:
    try:
        return metadata.version("bus-console")
    except metadata.PackageNotFoundError:
        return "(not installed)"
