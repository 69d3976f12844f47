"""The facade that the front ends use, on made-up targets."""

import itertools
from pathlib import Path

import pytest
from msgspec import structs

from bus.attach.protocol import Batch, Reply
from bus.context import Delivered, Fired, Timed, Waited
from bus.trace.records import Call, Error, Stack
from bus.trace.session import SessionReader
from bus.trace.timings import Legend
from console.language.filter_parser import parse
from console.pending import Pending
from console.preferences import Preferences
from console.session import Session
from console.target import TargetError
from tests import synthetic
from tests.synthetic import MS, START, FakeTarget


class Clock:
    """The console's own monotonic clock, moved by hand."""

    def __init__(self) -> None:
        self.ns = 5_000

    def __call__(self) -> int:
        return self.ns


def live_session(count: int = 200) -> tuple[Session, FakeTarget, Clock]:
    """A session on a program that has sent all its batches."""
    clock, target = Clock(), FakeTarget(synthetic.batches(synthetic.session(count)), state="live")
    session = Session(target, monotonic=clock)
    session.pump()
    return session, target, clock


def test_pump_says_whether_anything_changed() -> None:
    """A batch, or a new state of the target; nothing else."""
    session, target, _ = live_session()
    assert not session.pump()
    target.add(Batch(at=START))
    assert session.pump()
    target.end()
    assert session.pump()
    assert not session.pump()


def test_a_long_recording_is_taken_in_step_by_step() -> None:
    """Each pump takes a bounded time, so the screen stays alive; nothing is lost, and the end is known."""
    clock = itertools.count(step=30 * MS)  # 30 ms pass at each look
    records = synthetic.session(20_000)
    parts = [Batch(at=0, records=tuple(records[n : n + 3_000])) for n in range(0, len(records), 3_000)]
    session = Session(FakeTarget([*parts, Batch(at=0, snapshot_done=True)]), monotonic=lambda: next(clock))
    assert session.pump()
    assert not session.complete
    while session.pump():
        pass
    assert session.complete
    commands = sum(1 for record in records if isinstance(record, Call) and record.kind == "command")
    assert sum(row.calls for row in session.commands()) == commands


def test_batches_taken_in_together_are_still_a_snapshot() -> None:
    """Whichever of them said that it was the end of it."""
    session = Session(FakeTarget([Batch(at=1, snapshot_done=True), Batch(at=2)], state="live"))
    session.pump()
    assert session.complete


def test_timings_are_calls_like_any_other(tmp_path: Path) -> None:
    """In the model, for who watches, and in a recording that began after their names were told."""
    session, target, _ = live_session()
    size, at = session.size, session.now()
    event = Fired(900_001, 0, 900_001, 0, 1, 8, at + 1)
    legends = (Legend(7, "command", "told.once", "told", 3), Legend(8, "event", "told.event", "", 0))
    target.add(Batch(at=at + 2, legends=legends, timings=(event,)))
    session.pump()
    watch, recording = session.watch_calls(parse("told")), session.start_recording(tmp_path / "s.jsonl")
    timings = (
        Timed(900_002, (1, 0, 0, 0), 7, 2, at + 1, at + 2, at + 4, 1), Waited(900_002, 2, 5, at + 3, at + 4),
        Delivered(900_003, event, 7, 2, at + 5, at + 6),
    )  # fmt: skip
    target.add(Batch(at=at + 9, timings=timings))
    session.pump()
    assert session.size == size + 3
    names = [(900_001, "told.event"), (900_002, "told.once"), (900_003, "told.once")]
    found = [session.call(number) for number, _ in names]
    assert [(one.call.id, one.call.name) for one in found if one is not None] == names
    assert [(call.id, call.name) for call in watch.new(10)[0]] == names[1:]
    session.stop_recording()
    assert recording.calls == 2
    records = [record for some in SessionReader(tmp_path / "s.jsonl") for record in some]
    assert [(one.id, one.name) for one in records if isinstance(one, Call) and one.outcome] == names[1:]


def test_now_runs_on_while_the_program_is_live() -> None:
    """By the console's own clock since the last batch; a batch that was long on its way does not set it back."""
    session, target, clock = live_session()
    first = session.now()
    clock.ns += 30 * MS
    assert session.now() == first + 30 * MS
    target.add(Batch(at=first + 10 * MS))
    session.pump()
    assert session.now() == first + 30 * MS
    target.add(Batch(at=first + 50 * MS))
    session.pump()
    assert session.now() == first + 50 * MS


def test_now_stands_still_when_the_program_has_ended() -> None:
    """At the last moment of which anything is known."""
    session, target, clock = live_session()
    last = session.now()
    target.end()
    session.pump()
    clock.ns += 1_000 * MS
    assert session.now() == last


def test_the_header_of_a_live_program() -> None:
    """Names, rates, in flight as the program counts them, failures, losses."""
    session, target, _ = live_session()
    target.add(Batch(at=session.now(), in_flight=700, dropped=3))
    session.pump()
    header = session.header()
    assert (header.program, header.pid, header.state) == ("sample-search", 48213, "LIVE")
    assert (header.in_flight, header.dropped) == (700, 3)
    failed = [
        record for record in synthetic.session(200) if isinstance(record, Call) and record.outcome not in {"ok", None}
    ]
    assert header.failed == len(failed)
    assert header.calls_per_second > 100


def test_the_header_says_what_watching_costs() -> None:
    """Over the last two seconds, whatever was before; nothing any more when the program has ended."""
    session, target, _ = live_session()
    target.add(Batch(at=session.now() + 2_000 * MS, cost=0.02))
    session.pump()
    assert session.header().cost == 0.02
    target.end()
    session.pump()
    assert session.header().cost == 0


def test_all_can_be_asked_between_two_slices_of_a_pump() -> None:
    """A screen is drawn and a call is looked up while a batch is half taken in; in the end all of it is there."""
    known, _, _ = live_session()
    target = FakeTarget(synthetic.batches(synthetic.session(200)), state="live")
    session = Session(target, monotonic=Clock())
    slices = 0
    for _ in session.pumping():
        slices += 1
        session.header()
        session.events()
        session.services()
        session.problems()
        session.timeline(*session.bounds(), 100)
        for row in session.commands():
            assert all(session.call(call.id) is not None for call in session.recent(row.name))
    assert slices > 2
    assert session.size == known.size
    assert session.commands() == known.commands()


def test_rates_decay_to_nothing() -> None:
    """When nothing happens for ten seconds, calls/s and all rates are 0."""
    session, _, clock = live_session()
    clock.ns += 11_000 * MS
    assert session.header().calls_per_second == 0
    assert {row.rate for row in session.commands()} == {0}
    assert {(row.rate, row.delivery_rate) for row in session.events()} == {(0, 0)}


def test_calls_in_flight_stay_when_the_program_dies() -> None:
    """They are unended, for ever, and reach to the last moment; everything else can be browsed as before."""
    session, target, _ = live_session()
    running = Call(
        id=9_999, root=9_999, kind="command", name="scan.folder", lane=2, queued=START + 1, started=session.now()
    )
    target.add(Batch(at=session.now() + 100 * MS, live=(running,), in_flight=1))
    session.pump()
    target.end("killed by signal 9")
    session.pump()
    header, detail = session.header(), session.call(9_999)
    assert (header.state, header.reason, header.in_flight, header.cost) == ("ENDED", "killed by signal 9", 1, 0)
    assert detail is not None
    assert detail.call.outcome is None
    assert sum((detail.parts.queued, detail.parts.computing)) == session.now() - START - 1
    assert session.recent("scan.folder")[0].id == 9_999
    assert session.neighbour(session.recent("index.file")[0].id, -1)


def test_a_recording_is_browsed_like_a_program() -> None:
    """Commands, events, timeline over its bounds, one call and its neighbours."""
    session = Session(FakeTarget(synthetic.batches(synthetic.session(300))))
    while session.pump():
        pass
    first, last = session.bounds()
    assert (session.header().state, session.now()) == ("RECORDED", last)
    view = session.timeline(first, last, 80)
    assert {lane.name for lane in view.lanes} == {name for name, _, _ in synthetic.LANES}
    assert {row.name for row in session.commands()} == set(synthetic.COMMANDS)
    assert [each.entry.service for each in session.receivers("file.found", 9)] == ["indexer", "metrics"]
    selected = int(next(lane for lane in view.lanes if lane.name == "store-0").call.max())
    detail = session.call(selected)
    assert detail is not None
    assert detail.lane == "store-0"
    assert session.neighbour(session.neighbour(selected, -1), 1) == selected


def test_retain_bounds_what_is_kept_but_not_what_is_counted() -> None:
    """The figures are of all calls, the calls only the last ones."""
    session = Session(FakeTarget(synthetic.batches(synthetic.session(2_000))), retain=200)
    session.pump()
    total = sum(row.calls for row in session.commands())
    assert total > 900
    first, last = session.bounds()
    assert last - first < 2_000 * MS
    assert session.call(1) is None


def test_execute_resolves_to_the_reply() -> None:
    """Also when the reply is an error; the request has its number."""
    answer = Reply(request=0, call=7, error=Error("ValueError", "no"), outcome="error")
    target = FakeTarget(state="live", answers={"trouble.fail": answer})
    session = Session(target)
    pending = session.execute("trouble.fail", ["value"], {"n": 1})
    assert pending.result(timeout=0) == structs.replace(answer, request=pending.request)
    session.fire("file.changed", [], {"path": "a.py"})
    assert target.asked == [
        ("execute", "trouble.fail", ("value",), {"n": 1}), ("fire", "file.changed", (), {"path": "a.py"}),
    ]  # fmt: skip


def test_what_cannot_be_asked_is_refused_at_once() -> None:
    """A recording does not act."""
    with pytest.raises(TargetError):
        Session(FakeTarget()).execute("index.file", [], {})


def test_stacks_resolve_to_the_reply() -> None:
    """Of the lanes and calls that were asked for; a recording has none."""
    target = FakeTarget(state="live", can_act=False)
    target.standing = [Stack(lane=lane, at=START, name=f"t-{lane}", call=10 + lane) for lane in (1, 2, 3)]
    session = Session(target)
    assert [stack.lane for stack in session.stacks().result(timeout=0).stacks] == [1, 2, 3]
    pending = session.stacks(lanes=[1], calls=[13])
    assert [stack.lane for stack in pending.result(timeout=0).stacks] == [1, 3]
    assert pending.request == 2
    with pytest.raises(TargetError):
        Session(FakeTarget()).stacks()


def test_a_pending_request_is_not_ended_by_its_own_cancel() -> None:
    """Only the program can say what became of the call, so `Future.cancel` does nothing and the reply still fits."""
    pending = Pending()
    assert pending.set_running_or_notify_cancel()
    assert not pending.cancel()


def test_cancel_and_close_reach_the_target() -> None:
    """By the number of the request."""
    target = FakeTarget(state="live")
    session = Session(target)
    pending = session.execute("trouble.slow", [9], {})
    session.cancel(pending)
    session.close()
    assert (target.cancelled, target.closed) == ([pending.request], True)


def test_calls_are_found_by_a_filter() -> None:
    """Those in flight first, the longest on request, and how many there are in all."""
    session, target, _ = live_session()
    now = session.now()
    running = Call(id=9_999, root=9_999, kind="command", name="scan.folder", lane=2, queued=now, started=now)
    target.add(Batch(at=now + MS, live=(running,), in_flight=1))
    session.pump()
    found = session.find_calls(parse("scan or index took>0s"), limit=3)
    assert found.calls[0] == running
    assert (len(found.calls), found.in_flight) == (3, 1)
    assert found.total > 3
    longest = session.find_calls(parse("kind:command outcome:ended"), limit=2, order="took").calls
    assert longest[0].ended - longest[0].queued >= longest[1].ended - longest[1].queued


def test_a_calls_tree_its_lineage_and_what_is_below_it() -> None:
    """From the model; nothing for a call that is not kept."""
    session, _, _ = live_session()
    inner = session.recent("store.put", 1)[0]
    tree, place = session.tree(inner.id), session.lineage(inner.id)
    assert tree is not None
    assert place is not None
    assert [line.call and line.call.id for line in tree.lines] == [inner.root, inner.id]
    assert [cause.id for cause in place.causes] == [inner.root]
    assert [call.id for call in session.below(inner.root)] == [inner.root, inner.id]
    assert (session.tree(0), session.lineage(0), session.below(0)) == (None, None, [])


def test_silence_is_measured_of_a_program_that_was_heard_regularly() -> None:
    """It grows while nothing comes, and ends with the next batch; what has ended is not silent."""
    session, target, clock = live_session()
    clock.ns += 3_000 * MS
    assert session.silence == 0
    for _ in range(8):
        target.add(Batch(at=START))
        session.pump()
    clock.ns += 3_000 * MS
    assert session.silence == 3_000 * MS
    target.add(Batch(at=START))
    session.pump()
    assert session.silence == 0
    target.end()
    clock.ns += 3_000 * MS
    assert session.silence == 0


def test_the_level_that_the_person_wants() -> None:
    """A program is asked for it once, when all it had is there; one that may only be read stays as it is."""
    target = synthetic.FakeTarget(synthetic.batches(synthetic.session(20)), state="live")
    session = Session(target, preferences=Preferences(level="times"))
    session.pump()
    session.pump()
    assert target.asked == [("set level", "times", (), {})]
    assert session.level == "times"
    reading = synthetic.FakeTarget(synthetic.batches(synthetic.session(20)), state="live", can_act=False)
    session = Session(reading, preferences=Preferences(level="off"))
    session.pump()
    assert session.level == "full"
