"""No more watch lines than a person can read."""

import pytest
from msgspec.structs import replace

from bus.attach.protocol import Batch
from bus.trace.records import Call
from console.language.filters import ALL
from console.repl.watch_lines import WatchLines
from console.session import Session
from tests import synthetic


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def watched():
    """A session that shows 10 lines a second, a function that makes calls end in it, the lines, and their clock."""
    session = Session(synthetic.FakeTarget(synthetic.batches(synthetic.session(20)), state="live"))
    session.pump()
    session.preferences = replace(session.preferences, watched=10)
    session.watch_calls(ALL)
    number = 1_000_000

    def end(many):
        nonlocal number
        calls = []
        for _ in range(many):
            number += 1
            calls.append(
                Call(
                    id=number,
                    root=number,
                    kind="command",
                    name="x",
                    queued=synthetic.START,
                    started=synthetic.START,
                    ended=synthetic.START + 1,
                    outcome="ok",
                )
            )
        session.target.add(Batch(at=synthetic.START + 10**12, records=tuple(calls)))
        session.pump()

    clock = Clock()
    return session, end, WatchLines(clock), clock


def plain(lines, session):
    return [line.plain for line in lines.new(session, 100)]


def test_few_are_all_shown(watched):
    """A burst that is not larger than a second's lines comes whole and at once."""
    session, end, lines, _ = watched
    end(10)
    assert len(plain(lines, session)) == 10


def test_many_are_counted(watched):
    """The rest is counted, and said once a second; then there is room again."""
    session, end, lines, clock = watched
    end(50)
    assert len(plain(lines, session)) == 10
    end(50)
    assert plain(lines, session) == []
    clock.now += 1
    end(15)
    shown = plain(lines, session)
    assert len(shown) == 11
    assert shown[-1].startswith("… 95 more calls not shown")
    assert plain(lines, session) == []


def test_the_end_of_a_watch_says_what_is_left(watched):
    """What was left out before `stop` is still said, at once."""
    session, end, lines, _ = watched
    end(12)
    plain(lines, session)
    session.watch = None
    assert plain(lines, session) == ["… 2 more calls not shown: set watched N shows more"]
