"""The first calls of what was asked for, and how many there are."""

from collections.abc import Callable

import pytest
from msgspec import structs

from bus.attach.protocol import Batch
from bus.trace.records import Call
from console.language.filter_parser import parse
from console.language.filters import ALL
from console.model.call_rows import CallRows
from console.model.lane import Calls
from console.model.queries import Queries
from console.model.store import Store
from tests import synthetic


def call(number: int, queued: int, started: int = 0, ended: int = 0, **more: object) -> Call:
    """A command on lane 1 once it started."""
    defaults = {"lane": 1 if started else 0, "outcome": "ok" if ended else None, "kind": "command", "name": "n"}
    return Call(
        id=number, root=number, queued=queued, started=started, ended=ended,
        **{**defaults, **more},  # type: ignore[arg-type]
    )  # fmt: skip


def filled(*records: Call, live: tuple[Call, ...] = ()) -> Store:
    """A store with these records."""
    store = Store()
    store.take(Batch(at=0, records=records, live=live))
    return store


def numbers(store: Store, line: str, limit: int = 10, order: str = "newest") -> list[int]:
    """The numbers of what is found."""
    return [each.id for each in Queries(store).find(parse(line), 100, limit=limit, order=order).calls]  # type: ignore[arg-type]


def test_those_in_flight_come_first() -> None:
    """Running ones, the oldest first; then queued ones; then ended ones, the last to end first, of all lanes."""
    live = (call(11, 70), call(12, 60), call(13, 50, 80), call(14, 55, 75, lane=2))
    store = filled(call(1, 1, 2, 5), call(2, 6, 7, 9), call(3, 1, 2, 7, lane=2), call(4, 8, 0, 8), live=live)
    assert numbers(store, "") == [14, 13, 12, 11, 2, 4, 3, 1]
    assert numbers(store, "", limit=7) == [14, 13, 12, 11, 2, 4, 3]
    assert numbers(store, "outcome:ended", limit=2) == [2, 4]


def test_half_of_the_room_is_for_what_has_ended() -> None:
    """A thousand calls in a queue do not hide what happens; where nothing has ended they may have all of it."""
    live = tuple(call(10 + number, 70 + number) for number in range(20))
    store = filled(call(1, 1, 2, 5), call(2, 6, 7, 9), call(3, 1, 2, 7), live=live)
    assert numbers(store, "", limit=4) == [10, 11, 2, 3]
    assert numbers(store, "", limit=8) == [10, 11, 12, 13, 14, 2, 3, 1]
    found = Queries(store).find(ALL, 100, limit=4)
    assert (found.going, found.in_flight, found.total) == (2, 20, 23)
    assert numbers(filled(live=live), "", limit=4) == [10, 11, 12, 13]


def test_all_are_counted() -> None:
    """More than are shown, and those in flight with them."""
    store = filled(*(call(n, 10 * n, 10 * n + 1, 10 * n + 5) for n in range(1, 51)), live=(call(60, 700),))
    found = Queries(store).find(ALL, 800, limit=3)
    assert (len(found.calls), found.total, found.in_flight) == (3, 51, 1)
    found = Queries(store).find(parse("id:1..20"), 800, limit=0)
    assert (found.calls, found.total, found.in_flight) == ((), 20, 0)
    assert Queries(Store()).find(parse("x"), 0, limit=5).total == 0


def test_the_time_of_those_in_flight_counts() -> None:
    """A running call took as long as it runs now."""
    store = filled(live=(call(1, 10, 20),))
    assert numbers(store, "took=90ns run=80ns queued=10ns") == [1]


def test_the_longest_first() -> None:
    """By any of the times; what was not measured comes last."""
    store = filled(
        call(1, 1, 2, 50, cpu=2), call(2, 51, 58, 60, cpu=1), call(3, 61, 62, 90), call(4, 10, 20, 40, lane=2, cpu=20)
    )
    assert numbers(store, "", order="took") == [1, 4, 3, 2]
    assert numbers(store, "", order="queued", limit=2) == [4, 2]
    assert numbers(store, "", order="computing") == [4, 1, 2, 3]
    assert numbers(store, "took<40ns", order="took", limit=1) == [4]


@pytest.mark.parametrize("order", ["newest", "took", "run", "queued", "computing", "waiting", "elsewhere"])
@pytest.mark.parametrize("line", ["", "store", "outcome:failed", '"threading" run>1ms'])
def test_the_first_of_a_long_session(order: str, line: str) -> None:
    """The same as by sorting all of them."""
    records = [structs.replace(each, id=each.id) for each in synthetic.session(3_000) if isinstance(each, Call)]
    store = filled(*records)
    everything = Queries(store).find(parse(line), 0, limit=10_000, order=order)  # type: ignore[arg-type]
    assert len(everything.calls) == everything.total > 20
    first = Queries(store).find(parse(line), 0, limit=20, order=order)  # type: ignore[arg-type]
    assert first.calls == everything.calls[:20]
    assert first.total == everything.total
    if order == "newest":
        assert sorted(everything.calls, key=lambda each: (each.ended, each.id), reverse=True) == list(everything.calls)
    if order == "took":
        assert sorted((each.ended - each.queued for each in everything.calls), reverse=True) == [
            each.ended - each.queued for each in everything.calls
        ]


def test_asked_again_only_what_is_new_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same question costs next to nothing; of several that are asked in turn as well."""
    store = filled(*(call(n, 10 * n, 10 * n + 1, 10 * n + 5, args="a") for n in range(1, 51)))
    queries = Queries(store)
    looked: list[int] = []
    monkeypatch.setattr(CallRows, "__init__", noting(looked, CallRows.__init__))
    lines = [parse("n"), parse("id>9"), parse("arg:a took>1ns")]
    for what in lines:
        assert queries.find(what, 0, limit=5).total >= 41
    assert looked == [0, 0, 0]
    store.take(Batch(at=0, records=(call(51, 600, 601, 605, args="a"),)))
    for what in lines:
        assert queries.find(what, 0, limit=5).calls[0].id == 51
    assert looked == [0, 0, 0, 50, 50, 50]
    for what in lines:
        queries.find(what, 0, limit=5)
    assert len(looked) == 6


def noting(looked: list[int], real: Callable[..., None]) -> Callable[..., None]:
    """A maker of rows that notes from which position on they are looked at."""

    def made(self: CallRows, calls: Calls, first: int = 0) -> None:
        looked.append(first)
        real(self, calls, first)

    return made
