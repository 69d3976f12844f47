"""Several programs in one view: what each did is what its recording says, and nothing of one is another's."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import AnyRecord, Call, Depth, Dropped, Dump, Entry, Lane, Output, Problem, Session, State, Wait
from bus.trace.session import SessionWriter
from console.model import snapshot
from console.model.store import Store
from console.session import Session as ConsoleSession
from console.target import Target, TargetError
from console.target.merged import open_recordings
from console.target.programs import SharedNames, labels
from tests import synthetic
from tests.console.export.sessions import CALLS, OTHER_CALLS, OTHER_LANES, START, UNIX, session
from tests.support import wait_for

DRIFT = 7_000
"""Ns that the other program's wall clock is ahead, by its own pair of clocks."""


def first(number: int, **fields: object) -> Session:
    clocks = {"start_monotonic": START, "start_unix": UNIX}
    one = Session(session=f"s{number}", pid=4_710 + number, program="fixture", python="3", **clocks)
    return structs.replace(one, **fields)


def written(folder: Path, head: Session, records: Iterable[AnyRecord], name: str = "") -> Path:
    writer = SessionWriter(folder / (name or f"{head.session}.jsonl"), head)
    writer.write(records)
    writer.close()
    return writer.path


def read(target: Target) -> tuple[Store, list[Batch]]:
    store, batches = Store(), []

    def take() -> bool:
        for batch in target.drain():
            store.take(batch)
            batches.append(batch)
        return bool(batches and batches[-1].snapshot_done)

    wait_for(take)
    target.close()
    return store, batches


def calls_of(store: Store) -> dict[int, Call]:
    return {one.id: one for some in snapshot.records(store) for one in some if isinstance(one, Call)}


def two(folder: Path, **other: object) -> list[Path]:
    """Recordings of two processes with equal lane keys, call ids, and some equal names."""
    same = [Entry(entry=1, kind="listener", name="file.*", service="indexer", callback="x")]
    return [
        written(folder, first(1), [*session(*CALLS), *same]),
        written(folder, first(2, **other), [*session(*OTHER_CALLS, lanes=OTHER_LANES), *same]),
    ]


def alone(view: Store, number: int, label: str, shift: int = 0) -> dict[int, Call]:
    """The calls of one program in the view, with the numbers, names and times that they have there."""

    def own(value: int) -> int:
        return value // 10

    def back(moment: int) -> int:
        return moment and moment - shift

    return {
        own(call.id): structs.replace(
            call, id=own(call.id), parent=own(call.parent), root=own(call.root), lane=own(call.lane),
            caller=own(call.caller), entry=own(call.entry), queued=back(call.queued), started=back(call.started),
            ended=back(call.ended), name=call.name.removeprefix(f"{label}/"),
            service=call.service.removeprefix(f"{label}/"),
        )
        for call in calls_of(view).values() if call.id % 10 == number
    }  # fmt: skip


def test_each_program_is_what_it_is_alone(tmp_path: Path) -> None:
    """Calls field for field, lanes, registrations and waits; the second clock is brought to the first one's time."""
    paths = two(tmp_path, start_unix=UNIX + DRIFT)
    view, _ = read(open_recordings(paths))
    for number, path in enumerate(paths, 1):
        single, _ = read(open_recordings([path]))
        label, shift = ("4711", "4712")[number - 1], (0, DRIFT)[number - 1]
        assert alone(view, number, label, shift) == calls_of(single)
        lanes = {key // 10: lane for key, lane in view.lanes.items() if key % 10 == number}
        assert {key: lane.name.removeprefix(f"{label}/") for key, lane in lanes.items()} == {
            key: lane.name for key, lane in single.lanes.items()
        }
        for key, runs in single.runs.items():
            shown = view.runs[10 * key + number]
            rows = np.arange(len(runs) + 1)
            assert [some.before(rows).tolist() for some in (shown.run, shown.computed, shown.idle)] == [
                some.before(rows).tolist() for some in (runs.run, runs.computed, runs.idle)
            ]
    assert view.size + len(view.live) == len(CALLS) + len(OTHER_CALLS)


def test_long_recordings_are_merged_in_the_order_of_time(tmp_path: Path) -> None:
    """Of many batches none is from before what was told already, but by what one batch spans; twice is the same."""
    heads = [structs.replace(synthetic.session_record(), session=f"s{seed}", pid=seed) for seed in (1, 2, 3)]
    paths = [written(tmp_path, head, synthetic.session(9_000, seed=head.pid)) for head in heads]
    view, batches = read(open_recordings(paths))
    assert len(batches) > 4
    assert [batch.at for batch in batches] == sorted(batch.at for batch in batches)
    for number, path in enumerate(paths, 1):
        single, _ = read(open_recordings([path]))
        assert alone(view, number, str(number)) == calls_of(single)
    again, _ = read(open_recordings(paths))
    assert calls_of(again) == calls_of(view)
    assert again.last == view.last == max(read(open_recordings([path]))[0].last for path in paths)


def test_equal_names_have_a_label_and_others_have_none(tmp_path: Path) -> None:
    """Commands, services and threads of both programs stay two."""
    view, _ = read(open_recordings(two(tmp_path)))
    names = {call.name for call in calls_of(view).values()}
    assert {"cook.meal", "index.file", "store.put"} <= names
    assert {lane.name for lane in view.lanes.values()} >= {"4711/MainThread", "4712/MainThread", "indexer-0", "cook-0"}
    assert {entry.service for entry in view.entries.values()} == {"4711/indexer", "4712/indexer"}


def test_an_event_reaches_the_listeners_of_its_own_program_only(tmp_path: Path) -> None:
    """Also those with a pattern, and by the names that the program knows."""

    def records(program: str) -> list[AnyRecord]:
        moment = dict.fromkeys(("queued", "started", "ended"), START + 1)
        event = Call(id=1, root=1, kind="event", name="found", outcome="ok", **moment)
        patterns = [
            Entry(entry=number, kind="listener", name=name, service=program)
            for number, name in enumerate(("*", "f*", "found", "lost"), 1)
        ]
        return [*patterns, event, structs.replace(event, id=2, root=2, name=f"only.{program}")]

    paths = [written(tmp_path, first(n, program=name), records(name)) for n, name in ((1, "shop"), (2, "cook"))]
    console = ConsoleSession(open_recordings(paths))
    wait_for(lambda: console.pump() or console.complete)
    wait_for(lambda: (console.pump(), console.complete)[1])
    received = {row.name: [each.entry.name for each in console.receivers(row.name, 9)] for row in console.events()}
    assert received["shop/found"] == ["shop/*", "shop/f*", "shop/found"]
    assert received["cook/found"] == ["cook/*", "cook/f*", "cook/found"]
    assert received["only.cook"] == ["cook/*"]
    console.close()


def test_the_header_says_how_many_programs_there_are(tmp_path: Path) -> None:
    """And the bar which is which; a recording acts no more than one alone."""
    target = open_recordings(two(tmp_path))
    read(target)
    info = target.info
    assert (info.session.program, info.session.pid, info.state, info.progress) == ("2 programs", 0, "recorded", 1.0)
    assert "1 fixture (pid 4711), 2 fixture (pid 4712)" in info.reason
    for act in (target.execute, target.fire):
        with pytest.raises(TargetError, match="this is a recording"):
            act("x", [], {}, print)


def test_every_kind_of_record_is_told_apart(tmp_path: Path) -> None:
    """What names a service, a lane or a call names that of its program; what is no name of it stays."""
    records: list[AnyRecord] = [
        Lane(key=1, name="a-0", service="a"), State(service="a", state="running", at=START + 1),
        Depth(service="a", at=START + 2, depth=3), Problem(rule="r", at=START + 3, text="t", calls=(1, 2)),
        Output(at=START + 4, stream="log", text="o", lane=1, call=2),
        Dropped(at=START, count=1, kind="event", where="a"),
        Dropped(at=START, count=1, kind="record", where="recorder"), Dump(trigger="why", begin=START, end=START + 9),
        Wait(call=0, lane=1, target=2, began=START + 5, ended=START + 6),
    ]  # fmt: skip
    paths = [written(tmp_path, first(n), records) for n in (1, 2)]
    target = open_recordings(paths)
    view, batches = read(target)
    said = [record for batch in batches for record in batch.records]
    assert set(view.states) == set(view.depths) == {"4711/a", "4712/a"}
    assert {problem.calls for problem in view.problems} == {(11, 21), (12, 22)}
    assert {(output.lane, output.call) for output in view.outputs} == {(11, 21), (12, 22)}
    assert {one.where for one in said if isinstance(one, Dropped)} == {"4711/a", "4712/a", "recorder"}
    assert {key for key, runs in view.runs.items() if len(runs.waits)} == {11, 12}
    assert target.info.reason.count("why") == 2


def test_two_recordings_of_one_process_are_one_program(tmp_path: Path) -> None:
    """As a session file and a dump: what both have is there once."""
    paths = [written(tmp_path, first(1), session(*CALLS), name) for name in ("all.jsonl", "dump.jsonl")]
    target = open_recordings(paths)
    view, _ = read(target)
    assert set(calls_of(view)) == {10 * call.id + 1 for call in CALLS}
    assert target.info.session.program == "fixture"


def test_more_than_nine_programs_have_two_digits(tmp_path: Path) -> None:
    """Numbers are told apart however many programs there are."""
    paths = [written(tmp_path, first(n), [CALLS[0]]) for n in range(1, 12)]
    view, _ = read(open_recordings(paths))
    assert set(calls_of(view)) == {100 + n for n in range(1, 12)}


def test_numbers_without_room_for_another_digit_are_left_out(tmp_path: Path) -> None:
    """A forged line harms no other call."""
    forged = structs.replace(CALLS[0], id=1 << 61, root=1)
    failed = structs.replace(CALLS[6], id=77, lane=1 << 30)
    paths = [written(tmp_path, first(1), [forged, failed, CALLS[1]]), written(tmp_path, first(2), [CALLS[0]])]
    view, _ = read(open_recordings(paths))
    assert set(calls_of(view)) == {21, 12}
    assert view.codec.damaged == 2


def test_a_name_that_is_shared_later_is_its_first_users() -> None:
    """And a program that calls a name what another's label makes of it does not get it."""
    names = SharedNames({"a"})
    assert [names.shown(program, f"p{program}", "a") for program in (1, 2, 1)] == ["p1/a", "p2/a", "p1/a"]
    assert [names.shown(program, f"p{program}", "b") for program in (2, 1, 2)] == ["b", "p1/b", "b"]
    assert names.shown(2, "p2", "p1/a") == "p2/p1/a"
    assert names.origins["p1/b"] == (1, "b")


@pytest.mark.parametrize(
    ("programs", "expected"),
    [
        (["shop", "cook"], ["shop", "cook"]),
        (["sample-search", "sample-searcher"], ["11", "12"]),
        (["x", "x"], ["11", "12"]),
        (["[*]", "x"], ["___", "x"]),
    ],
)  # fmt: skip
def test_labels_are_short_and_each_of_its_own(programs: list[str], expected: list[str]) -> None:
    """Names, or pids; nothing in them makes a pattern of a name."""
    assert labels([first(n, program=name, pid=10 + n) for n, name in enumerate(programs, 1)]) == expected


def test_labels_without_names_and_pids_are_numbers() -> None:
    """As of damaged recordings."""
    assert labels([first(n, program="x", pid=0) for n in (1, 2)]) == ["x-1", "x-2"]


def test_a_folder_stands_for_the_programs_that_ran_together(tmp_path: Path) -> None:
    """Where they did not, it says which recordings there are."""
    now = 1_790_000_000 * 10**9
    for number, began in enumerate((0, 50, 90), 1):
        path = written(tmp_path, first(number, start_unix=now + began * 10**9), [CALLS[0]])
        os.utime(path, ns=(0, now + (began + 60) * 10**9))
    view, _ = read(open_recordings([tmp_path]))
    assert set(calls_of(view)) == {11, 12, 13}
    later = written(tmp_path, first(4, start_unix=now + 10**15), [CALLS[0]])
    os.utime(later, ns=(0, now + 2 * 10**15))
    with pytest.raises(TargetError, match=r"several sessions, name one: s1\.jsonl, s2\.jsonl, s3\.jsonl, s4\.jsonl"):
        open_recordings([tmp_path])


def test_what_cannot_be_opened_together_is_refused(tmp_path: Path) -> None:
    """With what to do, and nothing is left open."""
    path = two(tmp_path)[0]
    for paths, message in (
        ([path, path], "named twice"), ([path, tmp_path / "none.jsonl"], "No such file"), ([path] * 100, "too many"),
    ):  # fmt: skip
        with pytest.raises(TargetError, match=message):
            open_recordings(paths)
