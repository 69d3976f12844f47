"""The line-by-line front end: a prompt in a terminal, or lines from a pipe."""

import sys

from console.repl.current import Look
from console.repl.piped import run_lines
from console.session import Session
from console.waiting import until_ready


def run(session: Session, look: Look | None = None) -> int:
    """Serve until the input ends; does not close SESSION. LOOK finds the program when it ended and runs again.

    Returns 0, or for lines from a pipe: 1 when a call failed, 2 when something could not be done at all.
    """
    until_ready(session)
    try:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return run_lines(session, sys.stdin)
        from console.repl.prompt import Prompt

        return Prompt(session, look=look).run()
    finally:
        session.jobs.stop()
