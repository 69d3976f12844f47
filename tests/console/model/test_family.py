"""All calls of one root."""

import random

from hypothesis import given
from hypothesis import strategies as st

from bus.trace.records import Call
from console.model.family import Family
from tests.console.model.test_calls import call, filled


def ids(family: Family, rows: object) -> list[int]:
    return [int(family.columns["id"][row]) for row in rows]  # type: ignore[attr-defined]


def member(number: int, parent: int, queued: int, **more: object) -> Call:
    """A call of root 1."""
    return call(number, queued, queued + 1, queued + 2, **{"parent": parent, "root": 1, "lane": number % 5, **more})


def test_finds_all_calls_of_a_root_wherever_they_are() -> None:
    """Those that ran, those that never did, events and those in flight; no others. In the order they were queued."""
    event = member(3, 1, 30, kind="event", lane=0)
    refused = call(4, 25, 0, 26, parent=1, root=1, outcome="rejected")
    running = call(5, 40, 41, parent=3, root=1, lane=4)
    store = filled(member(1, 0, 10), member(2, 1, 20), event, refused, call(9, 21, 22, 23), live=(running,))
    family = Family(store, 1)
    assert ids(family, range(len(family))) == [1, 2, 4, 3, 5]
    assert [family.call(row) for row in range(5)] == [member(1, 0, 10), member(2, 1, 20), refused, event, running]
    assert [family.name(row) for row in range(5)] == ["n"] * 5
    assert ids(family, family.children(family.row(1))) == [2, 4, 3]
    assert ids(family, family.ancestors(family.row(5))) == [1, 3]
    assert family.row(9) == family.row(77) == -1
    assert family.sizes() == [5, 1, 1, 2, 1]


def test_a_root_that_is_not_kept_leaves_several_tops() -> None:
    """Each call whose cause is gone stands for itself."""
    family = Family(filled(member(2, 1, 20), member(3, 2, 30), member(4, 99, 40)), 1)
    assert ids(family, family.tops) == [2, 4]
    assert len(Family(filled(member(1, 0, 10)), 7)) == 0
    assert Family(filled(), 7).tops.tolist() == []


def test_damaged_records_make_no_circle() -> None:
    """Calls that claim to be caused by each other, by themselves, or by a later one are tops."""
    family = Family(filled(member(2, 3, 20), member(3, 2, 30), member(4, 4, 40), member(1, 0, 10)), 1)
    assert ids(family, family.tops) == [1, 2, 4]
    assert ids(family, family.ancestors(family.row(3))) == [2]


@given(st.integers(1, 60), st.randoms(use_true_random=False))
def test_every_call_is_once_below_its_cause(count: int, chance: random.Random) -> None:
    """On random trees: children and parents agree, sizes add up, and each call is below exactly one top."""
    parents = {number: chance.randrange(number) for number in range(2, count + 1)}  # 0: its cause is not kept
    calls = [member(1, 0, 1), *(member(number, parent, number * 10) for number, parent in parents.items())]
    chance.shuffle(calls)
    family = Family(filled(*calls), 1)
    assert len(family) == count
    rows = [int(child) for row in range(-1, count) for child in family.children(row)]
    assert sorted(rows) == list(range(count))
    for row in range(count):
        assert all(family.parents[child] == row for child in family.children(row))
        assert family.sizes()[row] == 1 + sum(family.sizes()[child] for child in family.children(row))
        assert len({family.parents[at] for at in family.ancestors(row)[:1]} | {-1}) == 1
    assert sum(family.sizes()[top] for top in family.tops) == count
