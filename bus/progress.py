"""How far a call has come, in words: queued at which position; or running for how long, where, waiting for what."""

from collections.abc import Iterator
from itertools import dropwhile
from typing import TYPE_CHECKING, Any

from bus import runtime
from bus.lanes import lane_of
from bus.runtime import NS, Place

if TYPE_CHECKING:
    from bus.promise import Promise

_MAX_CHAIN = 20
_MAX_FRAMES = 8
_OURS = frozenset({"bus", "contextlib", "threading"})


def describe(promise: "Promise[Any]", now: int) -> str:
    """What became of PROMISE until NOW (monotonic ns), with its stack; then of what it waits for, and so on."""
    said: list[str] = []
    following: Promise[Any] | None = promise
    while following is not None and len(said) < _MAX_CHAIN:
        call = following.call
        if not call.started:
            return "; ".join([*said, _queued(following)])
        lane = lane_of(call.lane)
        place = stack_text(lane.ident) if following is promise else f"at {where(lane.ident)}"
        said.append(f"{call.name} #{call.id} is running for {(now - call.started) / NS:.3g} s on {lane.name}, {place}")
        if call.blocked_on is not None:
            said.append(f"and waits for {call.blocked_on}")
        following = call.waiting_for
    return "; ".join(said)


def stack_text(ident: int) -> str:
    """Where a thread is in the handler that it runs, the innermost frame first."""
    places = list(_handlers(runtime.stack(ident)))
    shown = [f"in {place.code.co_name} at {place.code.co_filename}:{place.line}" for place in places[:_MAX_FRAMES]]
    more = [f"{len(places) - _MAX_FRAMES} more"] if len(places) > _MAX_FRAMES else []
    return " ← ".join([*shown, *more]) or "about to end"


def where(ident: int) -> str:
    """The line outside the bus at which a thread stands."""
    theirs = (place for place in runtime.stack(ident) if place.module.partition(".")[0] not in _OURS)
    place = next(theirs, None)
    return f"{place.code.co_filename}:{place.line}" if place is not None else "?"


def _queued(promise: "Promise[Any]") -> str:
    call, mailbox = promise.call, promise.mailbox
    position = mailbox.position(call) + 1
    if not position:
        return f"{call.name} #{call.id} is taken from the queue of {call.service}, about to start"
    # The calls in front of it may be taken between the two looks.
    of = max(position, len(mailbox))
    return f"{call.name} #{call.id} is queued for {call.service}, position {position} of {of}"


def without_bottom(places: list[Place]) -> list[Place]:
    """A thread's PLACES without those at the bottom that are of the bus: how a worker came to run the handler."""
    bottom = len(places)
    while bottom and (is_bus(places[bottom - 1]) or places[bottom - 1].module == "threading"):
        bottom -= 1
    return places[:bottom]


def is_bus(place: Place) -> bool:
    """Whether it is the bus's own."""
    return place.module.partition(".")[0] == "bus"


def _handlers(places: list[Place]) -> Iterator[Place]:
    """Of a thread's PLACES those of the handler: without the bus's own at the bottom, and where it waits at the top."""
    return dropwhile(is_bus, without_bottom(places))
