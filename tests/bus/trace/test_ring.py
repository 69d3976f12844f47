from hypothesis import given
from hypothesis import strategies as st

from bus.context import Call, Source
from bus.trace.chunk import Chunk
from bus.trace.records import Depth
from bus.trace.ring import Ring


def chunk(at, count=1, live=()):
    return Chunk(at, [Depth(service="s", at=at, depth=n) for n in range(count)], live)


def test_what_is_too_old_goes():
    """Counted from the newest, also when nothing happens any more."""
    ring = Ring(max_age=100)
    for at in (0, 50, 120):
        ring.add(chunk(at))
    assert [kept.at for kept in ring.snapshot()] == [50, 120]
    ring.add(Chunk(500, ()))
    assert ring.snapshot() == ()
    assert ring.bytes == 0


@given(st.lists(st.integers(0, 50)))
def test_the_ring_never_holds_more_bytes_than_it_may(sizes):
    """And its count of them is the sum over what it holds."""
    ring = Ring(max_bytes=20_000)
    for at, size in enumerate(sizes):
        ring.add(chunk(at, size))
        assert ring.bytes <= 20_000
        assert ring.bytes == sum(kept.size() for kept in ring.snapshot())


@given(st.lists(st.integers(0, 50)))
def test_what_is_kept_is_the_newest(sizes):
    """Without a gap."""
    ring = Ring(max_bytes=20_000)
    for at, size in enumerate(sizes):
        ring.add(chunk(at, size))
    filled = [at for at, size in enumerate(sizes) if size]
    kept = [one.at for one in ring.snapshot()]
    assert kept == filled[len(filled) - len(kept) :]


def test_calls_in_flight_are_not_kept_alive():
    """They hold on to their arguments; the ring keeps what has ended."""
    ring = Ring()
    ring.add(chunk(1, live=[Call(1, Source("command", "x", "s"), (1, 0, 0, 0), 0)]))
    assert ring.snapshot()[0].live == ()


def test_what_is_let_go_of_is_known():
    """From when on all is kept; and what had to go before its time, until its time has come."""
    ring = Ring(max_age=100, max_bytes=2_000)
    assert (ring.since, ring.pushed_out) == (0, 0)
    for at in (1, 2, 3):
        ring.add(chunk(at, 2))
    assert (ring.since, ring.pushed_out) == (2, 4)
    ring.add(Chunk(102, ()))
    assert (ring.since, ring.pushed_out) == (2, 2)
    ring.add(Chunk(104, ()))
    assert (ring.since, ring.pushed_out) == (3, 0)
