"""A call's place among the others."""

from typing import Any

from bus.trace.records import Call, Wait
from console.model.lineage import Lineage, below, lineage
from console.model.store import Store
from tests.console.model.test_calls import call, filled


def member(number: int, parent: int, **more: Any) -> Call:
    """A call of root 1, queued at ten times its number."""
    at = 10 * number
    return call(
        number, at, at + 1, at + 5, **{"parent": parent, "root": 1, "lane": 2 + number % 5 if parent else 1, **more}
    )


def of(store: Store, number: int) -> Lineage:
    it = store.call(number)
    assert it is not None
    return lineage(store, it, 10_000)


def numbers(calls: tuple[Call | None, ...]) -> list[int]:
    return [one.id if one else 0 for one in calls]


def test_causes_and_siblings() -> None:
    """From the root down; which of how many; the one before and the one after."""
    store = filled(member(1, 0), member(2, 1), member(3, 2), member(4, 2), member(5, 2), member(6, 4))
    found = of(store, 4)
    assert numbers(found.causes) == [1, 2]
    assert (found.number, found.siblings, found.effects) == (2, 3, 1)
    assert numbers((found.before, found.after)) == [3, 5]
    assert (of(store, 3).before, of(store, 5).after) == (None, None)


def test_a_root_has_no_siblings() -> None:
    """Nor any cause, but effects."""
    found = of(filled(member(1, 0), member(2, 1), member(3, 2)), 1)
    assert (found.causes, found.number, found.siblings, found.before, found.after) == ((), 0, 0, None, None)
    assert found.effects == 2


def test_of_many_causes_the_nearest() -> None:
    """And how many there are above."""
    found = of(filled(*(member(number, number - 1) for number in range(1, 101))), 100)
    assert numbers(found.causes) == list(range(80, 100))
    assert found.more_causes == 79


def test_attempts_of_one_cause_and_of_a_thread() -> None:
    """The same call made again after it failed, wherever it came from."""
    again = {"args": "x=1", "name": "get"}
    inside = [member(2, 1, outcome="error", **again), member(3, 1), member(4, 1, **again)]
    outside = [call(20, 500, 501, 502, outcome="error", **again), call(21, 503, 504, 505, **again)]
    store = filled(member(1, 0), *inside, *outside)
    assert numbers(of(store, 4).attempts) == numbers(of(store, 2).attempts) == [2, 4]
    assert numbers(of(store, 21).attempts) == [20, 21]
    assert of(store, 3).attempts == ()


def test_the_path_by_name() -> None:
    """The own time of all calls of a name on it, the most first, with the longest of them to look at."""
    waits = [Wait(call=1, lane=1, target=n, began=10 * n, ended=10 * n + 5) for n in (2, 3, 4)]
    calls = [member(2, 1, name="get"), member(3, 1, name="get"), member(4, 1, name="put")]
    store = filled(*waits, *calls, call(1, 10, 11, 1_010, root=1, lane=1, name="top"))  # type: ignore[arg-type]
    assert [(part.name, part.calls, part.own, part.call) for part in of(store, 1).path] == [
        ("top", 1, 985, 1), ("get", 2, 10, 2), ("put", 1, 5, 4),
    ]  # fmt: skip


def test_many_names_on_the_path_are_put_together() -> None:
    """Six are told apart; the sum is the whole time of the call."""
    waits = [Wait(call=1, lane=1, target=n, began=10 * n, ended=10 * n + 5) for n in range(2, 20)]
    calls = [member(n, 1, name=f"name{n}") for n in range(2, 20)]
    found = of(filled(*waits, *calls, call(1, 10, 11, 1_010, root=1, lane=1)), 1)  # type: ignore[arg-type]
    assert len(found.path) == 7
    assert (found.path[-1].name, found.path[-1].calls) == ("", 13)
    assert sum(part.own for part in found.path) == 1_000


def test_what_a_call_led_to() -> None:
    """Itself and everything below, in the order it was queued; 200 at most."""
    store = filled(member(1, 0), member(2, 1), member(3, 2), member(4, 1), member(5, 3))
    it = store.call(2)
    assert it is not None
    assert [one.id for one in below(store, it)] == [2, 3, 5]
    many = filled(member(1, 0), *(member(number, 1) for number in range(2, 900)))
    top = many.call(1)
    assert top is not None
    assert [one.id for one in below(many, top)] == list(range(1, 201))
