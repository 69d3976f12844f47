"""How filters read the rows of the lists; the fields are those of `language.filter_fields`."""

from typing import Final

from console.model.predicates import Reader
from console.model.views import OUTSIDE_NAME, CommandRow, EventRow, ServiceRow


def _states(row: ServiceRow) -> list[str]:
    """The state as it is, and what else is the matter."""
    return [row.state, *(["stuck"] if row.stuck else []), *(["full"] if row.full else [])]


COMMAND_ROWS: Final[Reader[CommandRow]] = Reader(
    texts={"name": lambda row: (row.name,), "service": lambda row: (row.service,)},
    choices={},
    numbers={
        "calls": lambda row: row.calls, "rate": lambda row: row.rate, "now": lambda row: row.running,
        "queued": lambda row: row.queued, "wait": lambda row: row.wait_p99, "run": lambda row: row.run_p99,
        "failed": lambda row: row.errors,
    },
    bare=("name", "service"),
    quoted=("name", "service"),
)  # fmt: skip
EVENT_ROWS: Final[Reader[EventRow]] = Reader(
    texts={
        "name": lambda row: (row.name,), "service": lambda row: [entry.service for entry in row.listeners],
        "arg": lambda row: (row.last_args,),
    },
    choices={},
    numbers={
        "fired": lambda row: row.fired, "rate": lambda row: row.rate, "deliveries": lambda row: row.delivery_rate,
        "listeners": lambda row: len(row.listeners), "failed": lambda row: row.failed,
        "lost": lambda row: row.lost,
    },
    bare=("name", "service"),
    quoted=("name", "service", "arg"),
)  # fmt: skip
SERVICE_ROWS: Final[Reader[ServiceRow]] = Reader(
    texts={
        "name": lambda row: (row.name or OUTSIDE_NAME,), "state": _states,
        "thread": lambda row: [thread.name for thread in row.threads],
        "call": lambda row: [thread.call_name for thread in row.threads if thread.call],
    },
    choices={},
    numbers={
        "busy": lambda row: 100 * row.busy, "mailbox": lambda row: row.depth, "rate": lambda row: row.rate,
        "failed": lambda row: row.errors, "restarts": lambda row: row.restarts, "lost": lambda row: row.dropped,
    },
    bare=("name", "state", "thread", "call"),
    quoted=("name", "state", "thread", "call"),
)  # fmt: skip
