"""Calls come back from their columns field for field, however they were packed."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bus.attach.protocol import Batch
from bus.context import Delivered, Fired, Timed, Timing, Waited
from bus.trace.records import AnyRecord, Call, Error, Lane, State, Wait
from bus.trace.timings import Legend
from console.model import packing
from console.model.blocks import Codec
from console.model.codes import KINDS, ORIGINS, OUTCOMES
from console.model.lane import Calls
from console.model.packing import Packed, Packer
from console.model.timings import Labels

WIDE, NARROW = st.integers(0, (1 << 62) - 1), st.integers(0, (1 << 31) - 1)
text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
calls = st.builds(
    Call, id=st.integers(1, (1 << 62) - 1), root=WIDE, parent=WIDE, kind=st.sampled_from(KINDS), name=text,
    service=text, caller=NARROW, lane=NARROW, queued=WIDE, started=WIDE, ended=WIDE, cpu=st.none() | WIDE, waited=WIDE,
    outcome=st.sampled_from(OUTCOMES), error=st.none() | st.builds(Error, text), args=text, result=text,
    by=st.sampled_from(ORIGINS), client=text, entry=NARROW, marks=st.sampled_from([(), ("late",)]),
)  # fmt: skip
waits = st.builds(Wait, call=WIDE, lane=WIDE, target=WIDE, began=WIDE, ended=WIDE)
others = st.builds(Lane, key=NARROW, name=text) | st.builds(State, service=text, state=st.just("running"), at=WIDE)


KEYS = range(1, 6)
keys = st.sampled_from(KEYS)
fired = st.builds(Fired, st.integers(1, 1 << 40), WIDE, WIDE, NARROW, NARROW, keys, WIDE)
origins = st.tuples(NARROW, WIDE, WIDE, NARROW)
timings = (
    st.builds(Timed, st.integers(1, 1 << 40), origins, keys, NARROW, WIDE, WIDE, WIDE, WIDE)
    | fired
    | st.builds(Delivered, st.integers(1, 1 << 40), fired, keys, NARROW, WIDE, WIDE)
    | st.builds(Waited, WIDE, NARROW, WIDE, WIDE, WIDE)
)  # fmt: skip


def a_call(number: int, **fields: object) -> Call:
    return Call(id=number, root=number, kind="command", name="x", queued=1, started=2, ended=3, outcome="ok", **fields)  # type: ignore[arg-type]


def unpacked(packed: list[Packed]) -> list[Call]:
    """The ended calls, each from a row of its own."""
    codec, found = Codec(), []
    for block in map(codec.take, packed):
        for row in range(len(block["id"])):
            one = Calls("ended")
            one.add({name: values[row : row + 1] for name, values in block.items()})
            found.append(codec.unpack(one, 0))
    return found


@given(st.lists(st.lists(calls | waits | others, max_size=6), max_size=4), st.data())
def test_what_is_packed_comes_back(lists: list[list[AnyRecord]], data: st.DataObject) -> None:
    """Calls with an end, in their order; those without one beside them; waits as they were; all else is given back."""
    records = list(itertools.chain.from_iterable(lists))
    numbers = itertools.count(1)
    records = [structs.replace(record, id=next(numbers)) if isinstance(record, Call) else record for record in records]
    packer, packed, rest, left = Packer(), [], [], list(records)
    while left:
        size = data.draw(st.integers(1, 5))
        rest += packer.add(left[:size])
        left = left[size:]
        if data.draw(st.booleans()):
            packed.append(packer.take())
    packed.append(packer.take())
    assert unpacked(packed) == [one for one in records if isinstance(one, Call) and one.outcome]
    assert [call for some in packed for call in some.unended] == [
        one for one in records if isinstance(one, Call) and not one.outcome
    ]
    assert rest == [one for one in records if not isinstance(one, Call | Wait)]
    rows = [
        row
        for some in packed
        for row in zip(*(some.waits[name].tolist() for name in ("lane", "began", "ended")), strict=True)
    ]
    assert rows == [(one.lane, one.began, one.ended) for one in records if isinstance(one, Wait)]
    ended = [one for one in records if isinstance(one, Call) and one.outcome]
    assert max(some.latest for some in packed) == max(
        (max(one.queued, one.started, one.ended) for one in ended), default=0
    )


@given(st.lists(st.lists(timings, max_size=8), max_size=4))
def test_timings_are_packed_as_their_records_are(lists: list[list[Timing]]) -> None:
    """Column for column and in their order, but for the numbers that names have, whatever was known of keys before."""
    legends = tuple(Legend(key, KINDS[key % 3], f"name{key}", f"service{key % 2}", key) for key in KEYS)
    labels, short, long = Labels(), Packer(), Packer()
    labels.take(Batch(at=1, legends=legends))
    for some in lists:
        short.add_timings(some, labels)
        long.add(labels.records(Batch(at=1, timings=tuple(some))))
        one, other = short.take(), long.take()
        assert unpacked([one]) == unpacked([other])
        for ours, theirs in ((one.calls, other.calls), (one.waits, other.waits)):
            same = ours.keys() - {"name", "service"}
            assert {name: ours[name].tolist() for name in same} == {name: theirs[name].tolist() for name in same}


def test_a_timing_that_nobody_explained_is_a_call_without_a_name() -> None:
    """No program of ours leaves a legend out; one that does must not end the console."""
    packer = Packer()
    packer.add_timings([Timed(1, (1, 0, 0, 0), 99, 2, 1, 2, 3, 0)], Labels())
    (call,) = unpacked([packer.take()])
    assert (call.name, call.service, call.ended) == ("", "", 3)


def test_more_keys_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that registers without end has as many; each is what its legend says."""
    monkeypatch.setattr(packing, "_MOST_SORTS", 5)
    packer, labels, packed = Packer(), Labels(), []
    for first in range(1, 40, 4):
        some = range(first, first + 4)
        legends = tuple(Legend(key, "command", f"n{key}", "s", key) for key in some)
        labels.take(Batch(at=1, legends=legends, anew=True))
        packer.add_timings([Timed(key, (1, 0, 0, 0), key, 2, 1, 2, 3, 0) for key in some], labels)
        packed.append(packer.take())
        assert max(len(labels), len(packer._keys)) <= 9
    assert [call.name for call in unpacked(packed)] == [f"n{key}" for key in range(1, 41)]


@pytest.mark.parametrize("entry", [1 << 31, 1 << 62])
def test_the_id_of_a_registration_that_cannot_be(entry: int) -> None:
    """The call is there all the same."""
    packer, labels = Packer(), Labels()
    labels.take(Batch(at=1, legends=(Legend(1, "command", "x", "s", entry),)))
    packer.add_timings([Timed(1, (1, 0, 0, 0), 1, 2, 1, 2, 3, 0)], labels)
    assert [(call.name, call.entry) for call in unpacked([packer.take()])] == [("x", 0)]


@pytest.mark.parametrize("field", ["id", "root", "queued", "ended", "cpu", "caller", "lane", "entry"])
@pytest.mark.parametrize("value", [-7, 1 << 62, 1 << 63, 1 << 80])
def test_numbers_that_cannot_be_cost_their_own_call_only(field: str, value: int) -> None:
    """Also where they are too large for any column, and where the call would be kept whole."""
    packer = Packer()
    for outcome in ("ok", "error"):
        packer.add([a_call(1), structs.replace(a_call(2), **{"outcome": outcome, field: value}), a_call(3)])
    packed = packer.take()
    assert packed.calls["id"].tolist() == [1, 3, 1, 3]
    assert (packed.damaged, packed.whole) == (2, ())


def test_more_sorts_of_calls_than_are_remembered_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that makes up a name for each call is packed all the same."""
    monkeypatch.setattr(packing, "_MOST_SORTS", 5)
    packer, packed = Packer(), []
    for first in range(1, 40, 4):
        packer.add([a_call(number, service=f"s{number}") for number in range(first, first + 4)])
        packed.append(packer.take())
        assert len(packer._sorts) <= 9
    assert [call.service for call in unpacked(packed)] == [f"s{number}" for number in range(1, 41)]


def test_nothing_gives_columns_without_rows() -> None:
    """As a batch with no calls has."""
    packed = Packer().take()
    assert all(len(values) == 0 for values in (*packed.calls.values(), *packed.waits.values()))
    assert packed.latest == 0
    assert isinstance(packed.calls["id"], np.ndarray)
