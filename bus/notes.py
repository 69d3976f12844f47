"""The lines on a handler's error that say which call it came from, and who asked for that."""

from collections.abc import Callable

from bus import foreign
from bus.context import Call
from bus.lanes import lane_of

_OURS = "__bus_notes__"
_MAX_CALLERS = 10


def add_chain(error: BaseException, call: Call, running: Callable[[int], Call | None]) -> None:
    """Note on ERROR that it left the handler of CALL; RUNNING finds the calls above it that still run, by id.

    An error that passes through several calls gets a line for each, the innermost first. One object that is raised
    again by an unrelated call keeps only the new lines.
    """
    what = "command" if call.kind == "command" else "listener of"
    text = f"in {what} {line(call)}, called from {' ← '.join(_callers(call, running))}"
    parent, lines = _passed(error)
    notes = foreign.read(error, "__notes__")
    if notes is not None and type(notes) is not list:
        return  # no notes as Python knows them: it travels without the lines, as it does if it takes no attributes
    others = [note for note in notes or () if type(note) is not str or note not in lines]
    kept = [*lines, text] if parent == call.id else [text]
    if foreign.write(error, "__notes__", [*others, *kept]):
        foreign.write(error, _OURS, (call.parent, kept))


def came_from_child(error: BaseException, call: Call) -> bool:
    """Whether ERROR left the handler of a call that CALL made, before it left CALL's own; asked before `add_chain`."""
    return _passed(error)[0] == call.id


def _passed(error: BaseException) -> tuple[int, list[str]]:
    """The parent of the call that ERROR left last, and the lines it has from us."""
    passed: tuple[int, list[str]] | None = foreign.read(error, _OURS)
    return passed if passed is not None else (0, [])


def line(call: Call) -> str:
    """What and where, for a person: `index.file on indexer-2`."""
    where = lane_of(call.lane).name if call.lane else call.service
    return f"{call.name} on {where}"


def _callers(call: Call, running: Callable[[int], Call | None]) -> list[str]:
    callers: list[str] = []
    caller = running(call.parent)
    while caller is not None and len(callers) < _MAX_CALLERS:
        callers.append(line(caller))
        call, caller = caller, running(caller.parent)
    return [*callers, lane_of(call.caller).name]
