"""The command line: what can be written, and who carries it out.

Who starts a program must not wait for what it does not use: `subcommands` imports each part when it is needed.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from bus.trace.redact import escape
from console import collecting
from console.appearance import THEME_NAMES, config_path
from console.cli import examples, streams, subcommands
from console.target import TargetError

USER_MISTAKE = 2
_INTERRUPTED = 130
_BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the command line ARGV; the exit status is 2 for a user's mistake, which is said in one sentence."""
    streams.make_usable()
    words = sys.argv[1:] if argv is None else argv
    given = _parser(words[0] if words else "").parse_args(words)
    if not given.screens:
        collecting.resume()
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


def _parser(verb: str = "") -> argparse.ArgumentParser:
    """All that can be written, but for VERB, one that opens the screens, only those: the others import much more."""
    parser = argparse.ArgumentParser(
        prog="bus-console",
        description="See what every thread of a program on the bus is doing, act on it, keep the evidence.",
        epilog=f"{examples.OVERVIEW}\nsettings (theme, what is kept, thresholds of problems):\n  {config_path()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(screens=False)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    adds = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_screens(adds)
    if verb not in adds.choices:
        from console.cli import script_parsers, tool_parsers

        tool_parsers.add(adds, parser)
        script_parsers.add(adds)
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
    args = run.add_argument("args", metavar="ARGS", nargs=argparse.REMAINDER, help="handed to the program")
    args.required = False  # argparse takes none for an answer, and would still ask for them where TARGET is missing
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
        screens.set_defaults(screens=screens is not web)  # that one is shown by another process
        screens.add_argument("--theme", metavar="NAME", choices=THEME_NAMES, default="", help=f"colours: {names}")
        screens.add_argument("--ascii", action="store_true", help="draw with ASCII only")


class _Version(argparse.Action):
    """Looks for the version when somebody wants to know: that alone imports two dozen modules."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        try:
            version = metadata.version("bus-console")
        except metadata.PackageNotFoundError:
            version = "(not installed)"
        print(f"bus-console {version}")
        parser.exit()
