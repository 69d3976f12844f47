"""What is kept of what a program said."""

from hypothesis import given
from hypothesis import strategies as st

from bus.attach.protocol import Batch
from bus.trace.records import Call, Output
from console.model import calls
from console.model.outputs import OF_A_CALL, Outputs
from console.model.store import Store


def line(call: int, number: int = 0) -> Output:
    """A line that a call printed."""
    return Output(at=number + 1, stream="stdout", text=str(number), call=call)


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 20))
def test_the_last_lines_are_kept_and_those_of_each_call_among_them(said: list[int], most: int) -> None:
    """What is kept of a call is what is kept of all, as far as it is the call's; outside of calls there is none."""
    lines = [line(call, number) for number, call in enumerate(said)]
    kept = Outputs(most)
    for one in lines:
        kept.add(one)
    assert list(kept) == lines[-most:]
    assert len(kept) == min(most, len(lines))
    for call in (1, 2, 3):
        assert list(kept.of(call)) == [one for one in lines[-most:] if one.call == call]
    assert kept.of(0) == ()


def test_one_call_that_prints_much_keeps_its_last_lines() -> None:
    """And lets go of all of them in the end."""
    kept = Outputs(OF_A_CALL + 5)
    for number in range(OF_A_CALL + 3):
        kept.add(line(1, number))
    assert [one.text for one in kept.of(1)] == [str(number) for number in range(3, OF_A_CALL + 3)]
    for number in range(OF_A_CALL + 5):
        kept.add(line(2, number))
    assert kept.of(1) == ()


def test_a_calls_details_have_what_it_said() -> None:
    """The lines with its id, wherever they come from."""
    store = Store()
    call = Call(id=1, root=1, kind="command", name="n", lane=1, queued=1, started=2, ended=3, outcome="ok")
    store.take(Batch(at=0, records=(line(1), line(2), call)))
    detail = calls.detail(store, 1, 0)
    assert detail is not None
    assert detail.output == (line(1),)
