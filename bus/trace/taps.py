"""The hooks of the recorder: what the program's own threads do for it, and it is little."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import structs

from bus.context import Call, current, current_lane
from bus.hooks import Hook
from bus.runtime import Runtime
from bus.trace.buffers import Buffers
from bus.trace.catalog import Catalog
from bus.trace.chunk import NAME_LIMIT, call_record
from bus.trace.records import AnyRecord, Dropped, Problem, ServiceState, State
from bus.trace.redact import bounded, value_text
from bus.trace.stacks import error_of

if TYPE_CHECKING:
    from bus.registry import Entry


class PartsTap(Hook):
    """Always installed: registrations, services, drops. None of it is on the way of a call that goes well."""

    def __init__(self, catalog: Catalog, note: Callable[[AnyRecord], None], runtime: Runtime) -> None:
        """NOTE takes a record, from any thread."""
        self._catalog = catalog
        self._note = note
        self._now = runtime.now
        self._lock = runtime.lock()
        # How many deliveries each service lost since the pump last asked; guarded by `_lock`.
        self._dropped: Counter[str] = Counter()

    def registered(self, entry: "Entry") -> None:
        """See `Hook`."""
        self._note(self._catalog.add(entry))

    def unregistered(self, entry: "Entry") -> None:
        """See `Hook`."""
        self._note(self._catalog.remove(entry))

    def service_state(self, service: str, state: str, workers: int, error: str) -> None:
        """See `Hook`."""
        self._note(self._catalog.state(state_record(service, state, self._now(), workers, error)))

    def problem(self, rule: str, text: str, calls: tuple[int, ...]) -> None:
        """See `Hook`."""
        self._note(Problem(rule=bounded(rule, NAME_LIMIT), at=self._now(), text=bounded(text), calls=calls))

    def dropped(self, call: Call, service: str) -> None:
        """See `Hook`."""
        del call
        with self._lock:
            self._dropped[service] += 1

    def take_dropped(self) -> tuple[Dropped, ...]:
        """The deliveries lost since this was last asked."""
        with self._lock:
            dropped, self._dropped = self._dropped, Counter()
        at = self._now()
        return tuple(
            Dropped(at=at, count=count, kind="event", where=bounded(where, NAME_LIMIT))
            for where, count in dropped.items()
        )


class CallsTap(Hook):
    """Installed at the levels `times` and `full`. In `times` a call that goes well costs one `deque.append`."""

    def __init__(self, catalog: Catalog, buffers: Buffers, runtime: Runtime) -> None:
        self.full = False
        self._catalog = catalog
        self._put = buffers.put
        self._cpu = runtime.cpu

    def ended(self, call: Call) -> None:
        """See `Hook`."""
        if self.full or call.cpu is not None:
            self._take_detail(call)
        if call.error is None:
            self._put(call.lane, call)
        else:
            self._failed(call)

    def wait_ended(self, call: Call | None, target: Call, began: int, at: int) -> None:
        """See `Hook`."""
        lane = current_lane()
        self._put(lane, (call.id if call is not None else 0, lane, target.id, began, at))

    def _take_detail(self, call: Call) -> None:
        if call.cpu is not None:
            # Read on the thread that ran it; a call that was given up by another thread has no cpu time. The two clocks
            # are not read at the same moment: a call must not compute for longer than it ran.
            used = min(self._cpu() - call.cpu, call.ended - call.started)
            call.cpu = max(0, used) if call.lane == current.lane else None
        if self.full and call.kind == "command" and call.outcome == "ok":
            call.result_text = value_text(call.result)

    def _failed(self, call: Call) -> None:
        """As text now, not in the pump: an exception keeps the frames of its traceback alive, and what is in them."""
        error = call.error
        if error is not None:
            record = structs.replace(call_record(call), error=error_of(error, self._catalog.secrets(call)))
            self._put(call.lane, record)


class DetailTap(Hook):
    """Installed at the level `full`: the arguments, before the handler can change them, and the CPU clock."""

    def __init__(self, catalog: Catalog, runtime: Runtime) -> None:
        self._catalog = catalog
        self._cpu = runtime.cpu

    def queued(self, call: Call) -> None:
        """See `Hook`."""
        call.args_text = self._catalog.arguments(call)

    def started(self, call: Call) -> None:
        """See `Hook`."""
        call.cpu = self._cpu()


def state_record(service: str, state: ServiceState | str, at: int, workers: int, error: str) -> State:
    """A service's state as a record."""
    return State(
        service=bounded(service, NAME_LIMIT),
        state=state,  # type: ignore[arg-type]  # the bus knows no others
        at=at,
        workers=workers,
        error=bounded(error),
    )
