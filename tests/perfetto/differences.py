"""Where the runs that the trace processor found are not those that were recorded."""

from collections.abc import Callable, Iterable, Mapping

from bus.trace.records import Call
from tests.perfetto.processor import Trace

_RUNS = (
    "select s.ts, s.dur, s.name, s.category, s.depth, t.tid, t.name as thread, p.pid, "
    "extract_arg(s.arg_set_id, '{prefix}.id') as call, extract_arg(s.arg_set_id, '{prefix}.outcome') as outcome "
    "from slice s join thread_track tt on s.track_id = tt.id join thread t using (utid) "
    "left join process p using (upid) where s.category in ('command', 'delivery') and pid = {pid}"
)
_COLUMNS = ("ts", "dur", "name", "category", "outcome", "tid", "thread", "pid", "depth")


def differences(
    trace: Trace, runs: Iterable[Call], lanes: Mapping[int, str], pid: int, *,
    prefix: str = "debug", base: int = 0, shown: Callable[[str], str] = str,
) -> list[str]:  # fmt: skip
    """What differs in id, time, length, name, kind, outcome, thread or process; times to the ns, counted from BASE."""
    rows = trace.rows(_RUNS.format(prefix=prefix, pid=pid))
    found = {row["call"]: tuple(row[key] for key in _COLUMNS) for row in rows}
    wanted = {
        run.id: (
            run.started - base, run.ended - run.started if run.outcome else -1, shown(run.name), run.kind,
            run.outcome or "unended", run.lane, lanes[run.lane], pid, 0,
        )
        for run in runs
    }  # fmt: skip
    both = found.keys() | wanted.keys()
    lines = [
        f"{key}: {found.get(key)} ≠ {wanted.get(key)}" for key in sorted(both) if found.get(key) != wanted.get(key)
    ]
    return lines if len(rows) == len(found) else [*lines, f"{len(rows)} runs with {len(found)} ids"]
