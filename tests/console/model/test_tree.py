"""The causal tree in lines."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bus.trace.records import Call, Wait
from console.model import tree as trees
from console.model.store import Store
from console.model.tree import CallTree, TreeLine, tree
from tests.console.model.test_calls import call, filled


def member(number: int, parent: int, **more: Any) -> Call:
    """A call of root 1, queued at ten times its number."""
    at = 10 * number
    return call(
        number, at, at + 1, at + 5, **{"parent": parent, "root": 1, "lane": 2 + number % 5 if parent else 1, **more}
    )


def of(store: Store, number: int) -> CallTree:
    found = tree(store, number, 10_000)
    assert found is not None
    return found


def drawn(found: CallTree) -> list[str]:
    """Each line as its depth and what it is."""
    return ["  " * len(line.branches) + _said(line) for line in found.lines]


def _said(line: TreeLine) -> str:
    if line.call:
        return f"{line.call.id}"
    return f"+{line.folded} ({line.below} below, {line.failed} failed)"


def counted(found: CallTree) -> int:
    """The calls that the lines stand for."""
    return found.above + sum(line.folded + line.below if line.folded else 1 for line in found.lines)


def test_shows_the_whole_tree_from_its_root() -> None:
    """Whichever call of it is asked for, and in the order in which the calls were queued."""
    store = filled(member(1, 0), member(2, 1), member(3, 1), member(4, 2), member(5, 3))
    for number in range(1, 6):
        found = of(store, number)
        assert drawn(found) == ["1", "  2", "    4", "  3", "    5"]
        assert (found.call, found.total, found.above, found.complete) == (number, 5, 0, True)
    assert [line.branches for line in found.lines] == [(), (True,), (True, False), (False,), (False, False)]


def test_thousands_of_calls_are_folded_and_counted() -> None:
    """The first, the failed ones and the last in flight have lines; the others are one line where they are missing."""
    many = [member(number, 1) for number in range(2, 5_002)]
    many[3_000] = member(3_002, 1, outcome="error")
    deeper = member(6_000, 4_000)
    store = filled(member(1, 0), *many, deeper, live=(call(7_000, 70_000, 70_001, parent=1, root=1, lane=1),))
    found = of(store, 1)
    numbers = [str(number) for number in range(2, 14)]
    assert drawn(found) == [
        "1", *(f"  {number}" for number in numbers), "  +2988 (0 below, 0 failed)", "  3002",
        "  +1999 (1 below, 0 failed)", "  7000",
    ]  # fmt: skip
    assert counted(found) == found.total == 5_003


def test_what_is_folded_is_shown_on_request() -> None:
    """A hundred calls from where the fold begins; the rest is a fold again, that can be opened in its turn."""
    store = filled(member(1, 0), *(member(number, 1) for number in range(2, 502)), member(600, 14))
    [fold] = [line for line in of(store, 1).lines if line.folded]
    assert (fold.first, fold.folded) == (14, 488)
    found = tree(store, 1, 0, (14,))
    assert found is not None
    assert [line.call.id for line in found.lines if line.call and line.call.parent == 1] == list(range(2, 114))
    [below, rest] = [line for line in found.lines if line.folded]
    assert (below.first, rest.first, rest.folded) == (600, 114, 388)
    assert counted(found) == found.total
    found = tree(store, 1, 0, (14, 114, 600, 77_777))
    assert found is not None
    assert 600 in [line.call.id for line in found.lines if line.call]
    assert [line.first for line in found.lines if line.folded] == [214]
    assert counted(found) == found.total


def test_the_call_itself_is_never_folded() -> None:
    """Nor what it caused."""
    store = filled(member(1, 0), *(member(number, 1) for number in range(2, 500)), member(600, 400))
    assert {"  400", "    600"} <= set(drawn(of(store, 400)))


def test_marks_the_critical_path_of_the_call() -> None:
    """With the time that is each call's own; the length is that of the call."""
    waits = [Wait(call=1, lane=1, target=3, began=35, ended=38)]
    top = call(1, 10, 11, 60, root=1, lane=1)
    store = filled(
        *waits, top, call(2, 20, 21, 50, parent=1, root=1, lane=2), call(3, 30, 31, 38, parent=1, root=1, lane=3)
    )  # type: ignore[arg-type]
    found = of(store, 1)
    assert [(line.call and line.call.id, line.on_path, line.own) for line in found.lines] == [
        (1, True, 42), (2, False, 0), (3, True, 8),
    ]  # fmt: skip
    assert found.length == 50
    assert [line.on_path for line in of(store, 2).lines] == [False, True, False]


def test_folded_calls_say_what_they_add_to_the_path() -> None:
    """A thousand calls, each waited for, do not disappear from the sum."""
    waits, calls = [], []
    for number in range(2, 1_002):
        at = 10 * number
        calls.append(call(number, at, at + 1, at + 5, parent=1, root=1, lane=2))
        waits.append(Wait(call=1, lane=1, target=number, began=at, ended=at + 5))
    store = filled(*waits, *calls, call(1, 10, 11, 20_000, root=1, lane=1))  # type: ignore[arg-type]
    found = of(store, 1)
    assert sum(line.own for line in found.lines) == found.length == 19_990
    assert any(line.folded and line.on_path for line in found.lines)


def test_counts_attempts() -> None:
    """A call that was made again after a failure says which attempt it is."""
    again = {"args": "x=1", "name": "get"}
    store = filled(
        member(1, 0), member(2, 1, outcome="error", **again), member(3, 1, args="x=2", name="get"),
        member(4, 1, outcome="error", **again), member(5, 1, **again),
    )  # fmt: skip
    assert [line.attempt for line in of(store, 1).lines] == [1, 1, 1, 2, 3]


def test_of_a_deep_tree_the_nearest_causes_are_shown() -> None:
    """Thousands of calls, each caused by the one before, as two services that answer each other's events make them."""
    store = filled(*(member(number, number - 1) for number in range(1, 5_001)))
    found = of(store, 4_000)
    assert found.above == 3_949
    assert found.lines[0].call is not None
    assert found.lines[0].call.id == 3_950
    assert counted(found) == found.total == 5_000


def test_the_rest_of_a_tree_whose_root_is_gone() -> None:
    """Says so, and shows what is left side by side."""
    found = of(filled(member(2, 1), member(3, 2), member(4, 1)), 3)
    assert drawn(found) == ["2", "  3", "4"]
    assert not found.complete


def test_an_unknown_call_has_no_tree() -> None:
    """It was evicted, or never was."""
    assert tree(filled(member(1, 0)), 7, 0) is None


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 1_500), st.integers(1, 60), st.randoms(use_true_random=False))
def test_every_call_is_in_one_line_and_lines_are_bounded(count: int, wide: int, chance: random.Random) -> None:
    """On random trees, narrow and wide: shown and folded calls are all there are, and not too many are shown."""
    parents = {number: max(1, number - chance.randint(1, wide)) for number in range(2, count + 1)}
    calls = [member(1, 0), *(member(number, parent) for number, parent in parents.items())]
    asked = chance.randint(1, count)
    found = of(filled(*calls), asked)
    assert counted(found) == found.total == count
    shown = [line.call.id for line in found.lines if line.call]
    assert len(shown) == len(set(shown)) <= trees.MOST_LINES + 30
    assert asked in shown
    above: dict[int, int] = {}
    for line in found.lines:
        depth = len(line.branches)
        if line.call:
            assert not depth or line.call.parent == above[depth - 1]
            above[depth] = line.call.id
