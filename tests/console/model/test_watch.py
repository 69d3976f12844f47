"""Calls as they end."""

from msgspec import structs

from bus.trace.records import Call
from console.language.filters import ALL
from console.model.watch import RECENT, Watch
from tests import synthetic

CALLS = [each for each in synthetic.session(200) if isinstance(each, Call)]


def test_what_fits_comes_once():
    """Each call that ended and is asked for is given once, in order; records of other kinds and unended calls never."""
    watch = Watch(ALL, lambda call: call.name == "index.file")
    unended = structs.replace(CALLS[0], name="index.file", outcome=None)
    watch.take([*synthetic.preamble(), *CALLS, unended])
    wanted = [call for call in CALLS if call.name == "index.file"]
    assert wanted
    assert watch.new(10_000) == (wanted, 0)
    assert watch.new(10_000) == ([], 0)
    assert watch.total == len(wanted)
    assert list(watch.recent) == wanted[-RECENT:]


def test_what_is_left_out_is_counted():
    """Beyond what is asked for, and beyond what is kept, calls are counted and not given later."""
    watch = Watch(ALL, lambda _call: True)
    watch.take(CALLS)
    assert watch.new(3) == (CALLS[:3], len(CALLS) - 3)
    for _ in range(60):
        watch.take(CALLS)
    calls, more = watch.new(100_000)
    assert len(calls) == 10_000
    assert len(calls) + more == 60 * len(CALLS)
