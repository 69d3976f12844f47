"""Which calls are alike."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from console.model.problems.handlers import Handler, Handlers, sort_of, sorts, stretches
from tests.console.model.problems.watching import START, Model, call

KINDS = ("command", "event", "delivery")
SORTS = st.tuples(st.integers(0, 2), st.integers(0, 90), st.integers(0, 4))


def block(some: list[tuple[int, int, int]]) -> dict:
    columns = zip(*some, strict=True) if some else ((), (), ())
    kind, name, service = (np.array(column, np.int64) for column in columns)
    return {"id": np.arange(len(some)), "kind": kind, "name": name, "service": service}


@given(st.lists(st.lists(SORTS, max_size=12), max_size=6))
def test_each_kind_name_and_service_has_one_number(looks: list[list[tuple[int, int, int]]]) -> None:
    """The same in each look, and no other has it."""
    handlers, known = Handlers(), {}
    for some in looks:
        for (kind, name, service), number in zip(some, handlers.numbers(block(some)).tolist(), strict=True):
            assert handlers[number] == Handler(KINDS[kind], name, service)
            assert known.setdefault((kind, name, service), number) == number
    assert len(set(known.values())) == len(known)


def test_sorts_are_of_kind_and_name() -> None:
    """Whoever runs it."""
    first, second = sorts(block([(2, 7, 1), (2, 7, 3)])).tolist()
    assert first == second == sort_of(Handler("delivery", 7, 9))


def test_stretches_are_the_calls_of_a_handler_within_some_time() -> None:
    """On all lanes that ran them, and of no other service."""
    model = Model()
    model.look(
        call(1, START), call(2, START + 10_000), call(3, START + 20_000), call(4, START + 20_000, lane=2),
        call(5, START + 30_000, lane=3, service="other"), call(6, START + 30_000, name="m"),
    )  # fmt: skip
    names = model.store.codec.names
    handler = Handler("command", names.find("n"), names.find("s"))
    found = {
        each.lane: each.values("id").tolist() for each in stretches(model.store, handler, START + 5_000, START + 20_000)
    }
    assert found == {1: [2, 3], 2: [4]}
