"""Calls come back from their columns field for field, however they were packed."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bus.trace.records import AnyRecord, Call, Error, Lane, State, Wait
from console.model import packing
from console.model.blocks import Codec
from console.model.codes import KINDS, ORIGINS, OUTCOMES
from console.model.lane import Calls
from console.model.packing import Packed, Packer

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
