"""Who waits for whom, as a tree."""

from hypothesis import given
from hypothesis import strategies as st

from bus.trace.records import Stack, Waiting
from console.model.waiting import MAX_LINES, WaitLine, waits

AT = 1_000


def busy(lane: int, service: str = "", waiting: Waiting | None = None) -> Stack:
    """Lane N runs call 100 + N of the service sN, or of SERVICE."""
    service = service or f"s{lane}"
    return Stack(
        lane=lane, at=AT, name=f"{service}-{lane}", service=service, call=100 + lane, call_name=f"{service}.do",
        since=AT - lane, waiting=waiting,
    )  # fmt: skip


def on(lane: int, *, timed: bool = False) -> Waiting:
    """A wait for what that lane runs."""
    return Waiting(call=100 + lane, name=f"s{lane}.do", service=f"s{lane}", lane=lane, timed=timed)


def shape(lines: tuple[WaitLine, ...]) -> list[tuple[int, int]]:
    return [(line.level, line.lane) for line in lines]


def test_nobody_waits() -> None:
    """Running and idle threads are no news here."""
    assert waits(()) == ()
    assert waits((busy(1), Stack(lane=2, at=AT, name="idle"))) == ()


def test_a_chain_begins_with_whom_nobody_waits_for() -> None:
    """Each waits for the next; the last one is what all wait for."""
    lines = waits((busy(3), busy(1, waiting=on(2)), busy(2, waiting=on(3))))
    assert shape(lines) == [(0, 1), (1, 2), (2, 3)]
    assert [line.text for line in lines] == ["s2.do #102", "s3.do #103", ""]
    assert (lines[2].thread, lines[2].call, lines[2].since) == ("s3-3", 103, AT - 3)
    assert not any(line.cycle for line in lines)


def test_two_that_wait_for_the_same_are_two_trees() -> None:
    """What they wait for stands under each."""
    assert shape(waits((busy(1, waiting=on(3)), busy(2, waiting=on(3)), busy(3)))) == [(0, 1), (1, 3), (0, 2), (1, 3)]


def test_a_cycle_comes_first_and_is_closed() -> None:
    """It is told once; who waits for it from outside follows, and is led into it."""
    lines = waits((busy(1, waiting=on(4)), busy(4), busy(2, waiting=on(3, timed=True)), busy(3, waiting=on(2))))
    assert shape(lines) == [(0, 2), (1, 3), (2, 2), (0, 1), (1, 4)]
    assert [(line.cycle, line.again, line.timed) for line in lines] == [
        (True, False, True), (True, False, False), (True, True, True), (False, False, False), (False, False, False),
    ]  # fmt: skip
    lines = waits((busy(1, waiting=on(2)), busy(2, waiting=on(3)), busy(3, waiting=on(2))))
    assert shape(lines) == [(0, 2), (1, 3), (2, 2), (0, 1), (1, 2)]
    assert [(line.cycle, line.again) for line in lines][3:] == [(False, False), (True, True)]


def test_who_waits_for_a_queued_call_waits_for_the_workers_of_its_service() -> None:
    """Whichever is free first takes it."""
    queued = Waiting(call=9, name="p.do", service="p")
    lines = waits((busy(1, waiting=queued), busy(2, "p"), busy(3, "p")))
    assert shape(lines) == [(0, 1), (1, 2), (1, 3)]
    assert lines[0].text == "p.do #9, queued"


def test_a_pool_with_a_free_worker_is_no_cycle() -> None:
    """One of its workers waits for the one who waits for it; the other will take the call."""
    queued = Waiting(call=9, name="p.do", service="p")
    assert not any(line.cycle for line in waits((busy(1, waiting=queued), busy(2, "p", on(1)), busy(3, "p"))))
    assert any(line.cycle for line in waits((busy(1, waiting=queued), busy(2, "p", on(1)), busy(3, "p", on(1)))))


def test_room_and_end_are_said() -> None:
    """It is no call that is waited for."""
    lines = waits((busy(1, waiting=Waiting(what="room", service="p", timed=True)), busy(2, "p")))
    assert [line.text for line in lines] == ["room in p", ""]
    assert waits((busy(1, waiting=Waiting(what="end", service="p")),))[0].text == "the end of p"


def test_what_is_waited_for_may_be_with_nobody() -> None:
    """The call is about to be taken, or its lane was not asked."""
    lines = waits((busy(1, waiting=Waiting(call=9, name="p.do", service="p", lane=77)),))
    assert [(line.level, line.lane, line.name, line.call, line.service) for line in lines[1:]] == [
        (1, 0, "p.do", 9, "p")
    ]


def test_large_trees_are_bounded() -> None:
    """Pools that wait for pools have more edges than a screen has lines."""
    stacks = [
        busy(pool * 10 + n, f"p{pool}", Waiting(call=1, name="x", service=f"p{pool + 1}"))
        for pool in range(1, 12) for n in range(10)
    ]  # fmt: skip
    assert len(waits(stacks)) == MAX_LINES


def test_a_chain_that_others_wait_for_is_told_once() -> None:
    """Under the second one it is only named."""
    lines = waits((busy(1, waiting=on(3)), busy(2, waiting=on(3)), busy(3, waiting=on(4)), busy(4)))
    assert shape(lines) == [(0, 1), (1, 3), (2, 4), (0, 2), (1, 3)]
    assert [line.again for line in lines] == [False, False, False, False, True]


WAITS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)).filter(lambda pair: pair[0] != pair[1]), max_size=9)


@given(WAITS)
def test_everyone_who_waits_is_told_and_cycles_are_those_of_the_graph(pairs: list[tuple[int, int]]) -> None:
    """Each lane waits for at most one other; following the waits from a lane of a cycle leads back to it."""
    target = dict(pairs)
    lines = waits([busy(lane, waiting=on(target[lane]) if lane in target else None) for lane in range(1, 10)])
    assert {line.lane for line in lines} == {*target, *target.values()}

    def comes_back(lane: int) -> bool:
        at: int | None = target.get(lane)
        for _ in range(10):
            if at == lane:
                return True
            at = target.get(at) if at is not None else None
        return False

    assert {line.lane for line in lines if line.cycle} == {lane for lane in target if comes_back(lane)}
    firsts = [line.cycle for line in lines if line.level == 0]
    assert firsts == sorted(firsts, reverse=True)
