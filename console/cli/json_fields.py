"""The fields of what `--json` prints. Their names stay as they are; new ones may come.

Times of day are seconds since 1970 (UTC), lengths of time are milliseconds; null is what is not known or not there.
"""

from collections.abc import Mapping
from typing import Final

CALL: Final = {
    "id": "the call's number", "parent": "that of the call that caused it", "root": "that of the first cause",
    "kind": "command, event or delivery", "name": "of the command or event", "service": "that ran it",
    "caller": "thread that asked", "lane": "thread that ran it", "by": "code, or console: a person",
    "queued_at": "time of day", "outcome": "ok, error, …; null in flight", "took_ms": "from queued to its end, or now",
    "queued_ms": "in the queue", "computing_ms": "on the CPU", "waiting_ms": "for other calls",
    "elsewhere_ms": "I/O, locks, the GIL", "args": "text", "result": "text", "error": "type, message, traceback",
}  # fmt: skip
REPLY: Final = {
    "call": "its number; null: it was not made", "name": "of the command", "outcome": "ok, error, cancelled, …",
    "result": "as JSON; null where it has no such form", "text": "the result as text",
    "error": "type, message, traceback", "took_ms": "from queued to its end",
}  # fmt: skip
FIRE: Final = {
    "event": "its number; null: it was not fired", "name": "of the event", "receivers": "listeners that get it",
    "error": "type, message, traceback",
}  # fmt: skip
TOP: Final = {
    "name": "of the command", "service": "that has it", "calls": "in all", "rate": "calls a second, last 10 s",
    "running": "now", "queued": "now", "wait_p50_ms": "time in the queue", "wait_p99_ms": "", "run_p50_ms": "run time",
    "run_p99_ms": "", "errors": "calls that failed",
}  # fmt: skip
SERVICE: Final = {
    "name": "of the service", "state": "running, …", "workers": "threads", "running": "of them at work",
    "depth": "calls in the mailbox", "capacity": "of the mailbox; null: no limit is known",
    "busy": "part of the last 10 s, 0 to 1", "rate": "calls a second", "calls": "in all", "errors": "calls that failed",
    "restarts": "of threads", "dropped": "calls lost from the mailbox", "error": "that it last failed with",
}  # fmt: skip
PROBLEM: Final = {
    "rule": "by which it was found", "severity": "error or warning", "subject": "what it is about", "text": "what",
    "advice": "what to do", "since": "time of day", "last": "time of day", "count": "times seen",
    "over": "not any more", "uncertain": "records were lost",
    "calls": "numbers of calls that prove it", "lines": "figures that prove it",
}  # fmt: skip
PROGRAM: Final = {
    "name": "of the program", "pid": "", "age_s": "seconds", "services": "names", "socket": "path",
}  # fmt: skip


def text(table: Mapping[str, str]) -> str:
    """A table of fields for `--help`."""
    width = max(map(len, table))
    lines = (f"  {name.ljust(width)}  {about}".rstrip() for name, about in table.items())
    return "fields of --json (one object a line):\n" + "\n".join(lines)
