"""The lines on a handler's error that say which call it came from, and who asked for that."""

from collections.abc import Callable

from bus.context import Call
from bus.lanes import lanes

_OURS = "__bus_notes__"
_MAX_CALLERS = 10


def add_chain(error: BaseException, call: Call, running: Callable[[int], Call | None]) -> None:
    """Note on ERROR that it left the handler of CALL; RUNNING finds the calls above it that still run, by id.

    An error that passes through several calls gets a line for each, the innermost first. One object that is raised
    again by an unrelated call keeps only the new lines.
    """
    what = "command" if call.kind == "command" else "listener of"
    text = f"in {what} {line(call)}, called from {' ← '.join(_callers(call, running))}"
    passed: tuple[int, list[str]] = getattr(error, _OURS, (0, []))
    parent, lines = passed
    notes = [note for note in getattr(error, "__notes__", ()) if note not in lines]
    kept = [*lines, text] if parent == call.id else [text]
    try:
        error.__notes__ = [*notes, *kept]
        setattr(error, _OURS, (call.parent, kept))
    except (AttributeError, TypeError):
        return  # an exception class that forbids attributes: it travels without the lines


def came_from_child(error: BaseException, call: Call) -> bool:
    """Whether ERROR left the handler of a call that CALL made, before it left CALL's own; asked before `add_chain`."""
    parent, _ = getattr(error, _OURS, (0, []))
    return bool(parent == call.id)


def line(call: Call) -> str:
    """What and where, for a person: `index.file on indexer-2`."""
    where = lanes[call.lane].name if call.lane else call.service
    return f"{call.name} on {where}"


def _callers(call: Call, running: Callable[[int], Call | None]) -> list[str]:
    callers: list[str] = []
    caller = running(call.parent)
    while caller is not None and len(callers) < _MAX_CALLERS:
        callers.append(line(caller))
        call, caller = caller, running(caller.parent)
    return [*callers, lanes[call.caller].name]
