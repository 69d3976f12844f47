"""What each word of the command line does. A program is started first; what shows it is imported while it boots."""

import argparse
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from bus.trace.records import Output
from bus.trace.redact import escape
from console import collecting
from console import format as fmt
from console.appearance import ATTACH_AGAIN, THEME_NAMES, Appearance, remembered_theme
from console.cli import choosing
from console.target import Target, TargetError

if TYPE_CHECKING:
    from console.session import Session
    from console.target.again import Again
    from console.target.launch import LaunchedTarget

_START_SECONDS = 3.0
"""How long a program gets to make its bus before the screens open and say that it is still starting."""
_TICK = 0.01
_SHOWN_ERROR_LINES = 20
_SIGNALLED = 128
_IN_BROWSER = "textual.drivers.web_driver:WebDriver"
"""What textual-serve has the screens drawn with: its pipe stands for a terminal."""


def demo(given: argparse.Namespace) -> int:
    """The sample program in a child, and the screens on it."""
    argv = choosing.demo_command(given.folder)
    _need_terminal()
    from console.target.launch import launch

    with closing(launch(argv, name="sample-search")) as child:
        return _show_child(child, _appearance(given))


def run(given: argparse.Namespace) -> int:
    """A program of the user's in a child, and the screens on it; its exit status if it ended by itself."""
    from console.target.launch import command_line, launch

    argv = command_line(given.target, given.args, module=given.module)
    stdin = _hand_on_stdin()
    _need_terminal()
    with closing(launch(argv, name=Path(given.target.partition(":")[0]).stem, stdin=stdin)) as child:
        if stdin != subprocess.DEVNULL:
            os.close(stdin)  # who writes into it is to learn when the program has gone
        return _show_child(child, _appearance(given))


def attach(given: argparse.Namespace) -> int:
    """The screens on a program that runs already; when it ended and runs again, on that, if the person wants to."""
    from console.target.again import Again
    from console.target.attached import AttachedTarget

    target = choosing.attached(given.target)
    while True:
        with closing(target):
            _need_terminal()
            session = target.info.session
            again = Again(session.program, session.pid)
            shown = _show(target, _appearance(given), again)
            if shown != ATTACH_AGAIN or again.found is None:
                return shown
        target = AttachedTarget(again.found.socket)


def web(given: argparse.Namespace) -> int:
    """The screens on a program that runs already, in a browser."""
    from console.cli.web import serve
    from console.target.discover import find

    program = find(given.target)
    looks = [*(["--theme", given.theme] if given.theme else []), *(["--ascii"] if given.ascii else [])]
    # A name finds the program again when it was started anew; without one, it is this one.
    spec = given.target or str(program.socket)
    return serve(["attach", *looks, spec], f"{program.name} {program.pid}", given.port, lambda: find(spec))


def open_session(given: argparse.Namespace) -> int:
    """The screens on a recording."""
    with closing(choosing.recorded(given.sessions)) as target:
        _need_terminal()
        return _show(target, _appearance(given))


def ps(given: argparse.Namespace) -> int:
    """A table of the programs that can be attached to, or one JSON object each."""
    from console.target.discover import programs

    found = programs(services=True)
    if given.json:
        from console.cli import json_lines

        sys.stdout.writelines(json_lines.line(json_lines.program(each)) for each in found)
        return 0
    if not found:
        raise TargetError(
            "no program can be attached to: start one with BUS_CONSOLE=1 in its environment, or call bus.serve() in it"
        )
    rows = [(one.name, str(one.pid), fmt.age(one.age), fmt.some(one.services), str(one.socket)) for one in found]
    table = fmt.columns([("name", "pid", "age", "services", "socket"), *rows], right=(1, 2))
    sys.stdout.write(escape(table, keep="\n") + "\n")
    return 0


def repl(given: argparse.Namespace) -> int:
    """Lines, from a person or a pipe."""
    with closing(choosing.repl_target(given)) as target:
        from console import repl as front_end

        look = _look if target.info.state != "recorded" else None
        return front_end.run(choosing.session(target), look)


def _look(name: str, pid: int) -> "Session | None":
    """The program NAME, which had the pid PID, as it runs again; None if it does not."""
    from console.target.again import Again
    from console.target.attached import AttachedTarget

    again = Again(name, pid)
    try:
        again.look()
        return choosing.session(AttachedTarget(again.found.socket)) if again.found else None
    except TargetError:
        return None  # gone again, or not there yet: the next look tells


def record(given: argparse.Namespace) -> int:
    """Everything that a program does, into a file."""
    from console.recording import record as write

    with closing(choosing.recordable(given.target)) as target:
        return write(target, Path(given.output))


def dump(given: argparse.Namespace) -> int:
    """What the flight recorder of a program holds, into a file."""
    from console.cli.dumping import dump as write
    from console.target.discover import find

    return write(find(given.target).socket, Path(given.output))


def export(given: argparse.Namespace) -> int:
    """Recordings in the format of another tool."""
    from console.export import ExportError, Selection
    from console.export import export as write

    selection = Selection(given.filter, given.begin, given.end, given.call)
    try:
        written = write(given.sessions, given.output, selection, name=given.format)
    except ExportError as error:
        raise TargetError(str(error)) from None
    left_out = f", {fmt.plural(written.damaged, 'damaged line')} left out" if written.damaged else ""
    sys.stdout.write(f"{escape(str(written.path))}: {fmt.plural(written.calls, 'call')}{left_out}\n")
    return 0


# ---- screens


def _hand_on_stdin() -> int:
    """For the program: what a pipe or a file brings us. The screens then read the terminal itself, as a pager does."""
    if sys.stdin.isatty() or not sys.stdout.isatty():
        return subprocess.DEVNULL
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        return subprocess.DEVNULL
    given = os.dup(0)
    os.dup2(terminal, 0)
    os.close(terminal)
    return given


def _need_terminal() -> None:
    if os.environ.get("TEXTUAL_DRIVER") == _IN_BROWSER:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise TargetError("the screens need a terminal; `bus-console repl` takes lines from a pipe")


def _appearance(given: argparse.Namespace) -> Appearance:
    """As the command line says; what it does not say, as the config file does; then what was chosen last."""
    from console import config

    preferences = config.load().preferences
    theme = given.theme or preferences.theme or remembered_theme() or THEME_NAMES[0]
    return Appearance(theme=theme, ascii_only=given.ascii or preferences.ascii_only)


def _show(target: Target, appearance: Appearance, again: "Again | None" = None) -> int:
    collecting.hold()
    from console.tui.app import run as show

    return show(choosing.session(target), appearance, again)


def _show_child(child: "LaunchedTarget", appearance: Appearance) -> int:
    """The screens on CHILD; if it ended by itself, its last words afterwards, and its exit status."""
    collecting.hold()
    from console.tui.app import run as show

    session = choosing.session(child)
    _wait_for_start(session)
    if _was_seen(child):
        shown = show(session, appearance)
        if child.status is None:
            return shown
    return _report_end(child)


def _wait_for_start(session: "Session") -> None:
    """The child boots while the screens were imported; most are there by now.

    Nothing is taken in meanwhile: what a child says that ends before it has a bus is for the terminal.
    """
    give_up = time.monotonic() + _START_SECONDS
    while session.info.state == "connecting" and time.monotonic() < give_up:
        time.sleep(_TICK)


def _was_seen(child: "LaunchedTarget") -> bool:
    """Whether there is anything to show: a child that ended before it had a bus left nothing but its last words."""
    return child.status is None or bool(child.info.session.session)


def _report_end(child: "LaunchedTarget") -> int:
    """Say how CHILD ended, unless it went well and was seen; the exit status that a shell would give it."""
    status = child.status or 0
    if not _was_seen(child):
        _pass_on_output(child)
    elif status:
        sys.stderr.writelines(f"{line}\n" for line in child.error_lines[-_SHOWN_ERROR_LINES:])
    if status or not _was_seen(child):
        how = child.info.reason.partition(": ")[0] if child.error_lines else child.info.reason  # its last line is above
        sys.stderr.write(f"bus-console: {escape(how)}\n")
    return status if status >= 0 else _SIGNALLED - status


def _pass_on_output(child: "LaunchedTarget") -> None:
    printed = (each for batch in child.drain() for each in batch.records if isinstance(each, Output))
    for each in printed:
        (sys.stdout if each.stream == "stdout" else sys.stderr).write(f"{escape(each.text)}\n")
    sys.stdout.flush()
