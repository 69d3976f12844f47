"""The hooks of the recorder: what the program's own threads do for it, and it is little."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import structs

from bus.context import Call, Waited
from bus.hooks import Hook
from bus.lanes import current_lane
from bus.runtime import Runtime
from bus.trace.buffers import Buffers, Shard
from bus.trace.catalog import Catalog
from bus.trace.chunk import call_record, detail_of
from bus.trace.hiding import hidden
from bus.trace.records import AnyRecord, Dropped, Problem, ServiceState, State
from bus.trace.records import Step as StepRecord
from bus.trace.redact import REDACTED, bounded, value_text
from bus.trace.stacks import error_of
from bus.trace.timings import NAME_LIMIT

if TYPE_CHECKING:
    from bus.registry import Entry
    from bus.waits import Step


_MAX_CYCLE = 32
"""Steps of a cycle that are recorded."""


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
        self._note(self._catalog.add(entry, self._now()))

    def unregistered(self, entry: "Entry") -> None:
        """See `Hook`."""
        self._note(self._catalog.remove(entry, self._now()))

    def service_state(self, service: str, state: str, workers: int, error: str) -> None:
        """See `Hook`."""
        self._note(self._catalog.state(state_record(service, state, self._now(), workers, error)))

    def problem(self, rule: str, text: str, calls: tuple[int, ...]) -> None:
        """See `Hook`."""
        self._note(Problem(rule=bounded(rule, NAME_LIMIT), at=self._now(), text=self._clean(text), calls=calls))

    def deadlock(self, cycle: "tuple[Step, ...]", text: str, *, suspected: bool) -> None:
        """See `Hook`."""
        calls, steps = tuple(step.call for step in cycle), tuple(map(_step_record, cycle[:_MAX_CYCLE]))
        self._note(
            Problem(
                rule="deadlock", at=self._now(), text=self._clean(text), calls=calls, cycle=steps, suspected=suspected
            )
        )

    def _clean(self, text: str) -> str:
        return bounded(hidden(text, self._catalog.remembered))

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


class _Tap(Hook):
    """What both levels have in common: the ends that are more than a timing."""

    def __init__(self, catalog: Catalog, buffers: Buffers, runtime: Runtime) -> None:
        self._catalog = catalog
        self._buffers = buffers
        self._put_item = buffers.put
        self._cpu = runtime.cpu

    def _put(self, call: Call) -> None:
        """As text now, not in the pump: an exception keeps the frames of its traceback alive, and what is in them."""
        if call.cpu is not None:
            # Read on the thread that ran it; a call that was given up by another thread has no cpu time. The two clocks
            # are not read at the same moment: a call must not compute for longer than it ran.
            used = min(self._cpu() - call.cpu, call.ended - call.started)
            call.cpu = max(0, used) if call.lane == current_lane() else None
        detail = detail_of(call)
        error = call.error
        if error is None:
            self._put_item(call.lane, detail)
        else:
            record = structs.replace(call_record(detail), error=error_of(error, self._catalog.remember(call)))
            self._put_item(call.lane, record)


class TimesTap(_Tap):
    """Installed at the level `times`: a call that goes well is one tuple in a buffer, and no call of a function."""

    def timings(self, lane: int) -> Shard:
        """See `Hook`."""
        return self._buffers.of(lane)

    def ended_notably(self, call: Call) -> None:
        """See `Hook`."""
        self._put(call)


class FullTap(_Tap):
    """Installed at the level `full`: the arguments before the handler can change them, the result, the CPU clock."""

    def queued(self, call: Call) -> None:
        """See `Hook`."""
        call.args_text = self._catalog.arguments(call)
        if REDACTED in call.args_text:
            self._catalog.remember(call)

    def started(self, call: Call) -> None:
        """See `Hook`."""
        call.cpu = self._cpu()

    def wait_ended(self, call: Call | None, target: Call, began: int, at: int) -> None:
        """See `Hook`."""
        lane = current_lane()
        self._put_item(lane, Waited(call.id if call is not None else 0, lane, target.id, began, at))

    def ended(self, call: Call) -> None:
        """See `Hook`."""
        if call.kind == "command" and call.outcome == "ok":
            text = value_text(call.value)
            call.result_text = hidden(text, self._catalog.secrets(call)) if REDACTED in call.args_text else text
        self._put(call)


def _step_record(step: "Step") -> StepRecord:
    name, service, thread = (bounded(text, NAME_LIMIT) for text in (step.name, step.service, step.thread))
    where, waits_for = bounded(step.where, NAME_LIMIT), bounded(step.waits_for, NAME_LIMIT)
    return StepRecord(
        call=step.call, name=name, service=service, lane=step.lane, thread=thread, where=where, waits_for=waits_for,
        target=step.target,
    )  # fmt: skip


def state_record(service: str, state: ServiceState | str, at: int, workers: int, error: str) -> State:
    """A service's state as a record."""
    return State(
        service=bounded(service, NAME_LIMIT),
        state=state,  # type: ignore[arg-type]  # the bus knows no others
        at=at,
        workers=workers,
        error=bounded(error),
    )
