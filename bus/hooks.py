"""What can watch the bus: the hook protocol, and the set of installed hooks.

A hook costs nothing where it does nothing: only overridden methods are called, and with none installed each point of
the hot path is one test of an empty tuple (the idea is Trio's instruments).
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from bus.context import Call, Timing
from bus.lanes import ThreadState, this_thread
from bus.runtime import on_main_thread

if TYPE_CHECKING:
    from bus.registry import DeadLetter, Entry
    from bus.waits import Step

_log = logging.getLogger("bus")


ENDS = (Exception, SystemExit, KeyboardInterrupt, GeneratorExit)
"""What foreign code may raise without ending the thread that called it; a scheduler's own exception goes on."""


_ROOM = 100
"""Timings that a thread records without looking whether there is room: to look would cost as much as to append."""


class Buffer(Protocol):
    """Takes timings from any thread; who appends first looks whether there is room, else says that one was lost.

    A thread looks for a hundred timings at a time, so each may exceed the limit by that many.
    """

    limit: int

    def __len__(self) -> int: ...

    def append(self, timing: Timing, /) -> None:
        """Keep TIMING."""

    def lose(self) -> None:
        """One more for which there was no room."""


class Hook:
    """Override what you need. Called on the thread where it happens, with no lock of the bus held; be quick.

    A hook that raises is removed and logged; the program goes on.
    """

    def registered(self, entry: "Entry") -> None:
        """A command or listener was registered."""

    def unregistered(self, entry: "Entry") -> None:
        """A command or listener was disposed, or went with its service."""

    def queued(self, call: Call) -> None:
        """In the caller's thread, just before the call is queued. For an event: when it was fired."""

    def started(self, call: Call) -> None:
        """In the worker's thread, just before the handler runs."""

    def ended(self, call: Call) -> None:
        """Once for each call, whatever became of it; `call.value` or `call.error` is still set."""

    def ended_notably(self, call: Call) -> None:
        """As `ended`, but only for those of which a timing does not tell all: failed, marked, made by hand."""

    def timings(self, lane: int) -> Buffer:  # type: ignore[empty-body]  # never called: a hook overrides it, or has none
        """Where to put a `Timing` of every call that `ended_notably` is not told of, and of every wait, on LANE.

        For a recorder: to append one costs a tenth of what it costs to call somebody with a `Call`.
        """

    def wait_began(self, call: Call | None, target: Call, at: int) -> None:
        """The current thread is about to block until `target` ends."""

    def wait_ended(self, call: Call | None, target: Call, began: int, at: int) -> None:
        """The wait that began at `began` is over."""

    def dropped(self, call: Call, service: str) -> None:
        """A full mailbox dropped this delivery."""

    def dead_letter(self, letter: "DeadLetter") -> None:
        """Something was sent that nobody could receive."""

    def problem(self, rule: str, text: str, calls: tuple[int, ...]) -> None:
        """The bus itself saw something go wrong; CALLS prove it."""

    def deadlock(self, cycle: "tuple[Step, ...]", text: str, *, suspected: bool) -> None:
        """A CYCLE of waits: refused before it blocked; or only SUSPECTED, for it heals itself."""

    def service_state(self, service: str, state: str, workers: int, error: str) -> None:
        """A service changed its state."""


POINTS = tuple(name for name in vars(Hook) if not name.startswith("_"))
"""The names of the methods that a hook may implement."""


class Hooks:
    """The installed hooks, as one tuple of bound methods for each point: `()` when nobody listens there.

    The tuples are replaced, never changed, so a reader needs no lock; `add` and `remove` run under the bus's lock.
    """

    __slots__ = (*POINTS, "_installed", "plain")

    plain: bool
    """Whether nobody wants to see every call."""

    registered: tuple[Callable[..., None], ...]
    unregistered: tuple[Callable[..., None], ...]
    queued: tuple[Callable[..., None], ...]
    started: tuple[Callable[..., None], ...]
    ended: tuple[Callable[..., None], ...]
    ended_notably: tuple[Callable[..., None], ...]
    timings: tuple[Callable[[int], Buffer], ...]
    wait_began: tuple[Callable[..., None], ...]
    wait_ended: tuple[Callable[..., None], ...]
    dropped: tuple[Callable[..., None], ...]
    dead_letter: tuple[Callable[..., None], ...]
    problem: tuple[Callable[..., None], ...]
    deadlock: tuple[Callable[..., None], ...]
    service_state: tuple[Callable[..., None], ...]

    def __init__(self) -> None:
        self._installed: tuple[object, ...] = ()
        self._rebuild()

    def add(self, hook: object, instead_of: object = None) -> None:
        """Install HOOK, any object with some of the methods of `Hook`, and take out the other one in the same step."""
        self._installed = (*(other for other in self._installed if other is not instead_of), hook)
        self._rebuild()

    def remove(self, hook: object) -> None:
        """Take HOOK out; nothing happens when it is not there."""
        self._installed = tuple(other for other in self._installed if other is not hook)
        self._rebuild()

    def _rebuild(self) -> None:
        for point in POINTS:
            setattr(self, point, tuple(_overridden(self._installed, point)))
        self.plain = not (self.queued or self.started or self.ended)

    def make_room(self, state: ThreadState) -> None:
        """Set where the timings of the current thread go, whose STATE this is, and for how many there is room."""
        if state.recorded_by is not self.timings:
            self._ask_for_buffers(state)
        buffers = state.buffers
        room = min((buffer.limit - len(buffer) for buffer in buffers), default=_ROOM)
        state.room = max(1, min(room, _ROOM))
        if not buffers:
            state.record = None
        elif len(buffers) == 1 and room > 0:
            state.record = buffers[0].append
        else:
            state.record = partial(_keep_in, buffers)

    def keep(self, timing: Timing, state: ThreadState) -> None:
        """Record TIMING. Where every call comes by, this is written out."""
        if state.recorded_by is not self.timings or not state.room:
            self.make_room(state)
        state.room -= 1
        if state.record is not None:
            state.record(timing)

    def tell_ended(self, call: Call) -> None:
        """CALL is over, and told as a call."""
        self.notify("ended", call)
        if call.outcome == "ok" and call.cpu is None and not call.client and not call.marks:
            self.keep(call.timing(), this_thread())
        else:
            self.notify("ended_notably", call)

    def _ask_for_buffers(self, state: ThreadState) -> None:
        """Once for a thread, until the hooks change."""
        timings = self.timings
        buffers: list[Buffer] = []
        for method in timings:
            try:
                buffers.append(method(state.lane))
            except ENDS as error:
                self.failed(method, error)
        state.buffers, state.recorded_by = tuple(buffers), timings

    def notify(self, point: str, *args: Any, **kwargs: Any) -> None:
        """Call POINT of every hook that has it; one that raises is removed and logged."""
        for method in getattr(self, point):
            try:
                method(*args, **kwargs)
            except ENDS as error:
                self.failed(method, error)

    def failed(self, method: Callable[..., Any], error: BaseException) -> None:
        """METHOD has just raised ERROR: its hook is removed, and the error logged.

        On the main thread what is no `Exception` may have come from a signal's handler, and goes on.
        """
        if not isinstance(error, Exception) and on_main_thread():
            raise error
        hook = getattr(method, "__self__", method)
        _log.exception("the hook %r raised in %s and was removed", type(hook).__qualname__, method.__name__)
        self.remove(hook)


def _keep_in(buffers: tuple[Buffer, ...], timing: Timing) -> None:
    for buffer in buffers:
        if len(buffer) < buffer.limit:
            buffer.append(timing)
        else:
            buffer.lose()


def _overridden(installed: tuple[object, ...], point: str) -> list[Callable[..., None]]:
    base = getattr(Hook, point)
    methods = (getattr(hook, point, None) for hook in installed)
    return [method for method in methods if method is not None and getattr(method, "__func__", method) is not base]
