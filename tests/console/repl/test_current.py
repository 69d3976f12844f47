"""Another session in the place of one whose program ended."""

from bus.attach.protocol import Reply
from console import commands
from console.repl.current import Current
from console.session import Session
from tests import synthetic


def session():
    made = Session(synthetic.FakeTarget(synthetic.batches(synthetic.session(20)), state="live"))
    made.pump()
    return made


def test_what_is_taken_over():
    """What the person did and set: past values, the last result, settings, the watch; the former session is closed."""
    former, later = session(), session()
    current = Current(former)
    commands.finish(former, commands.run(former, "search.query earlier"))
    for line in ("set listed 3", "set retain 5000", "watch name:index.*"):
        commands.run(former, line)
    current.replace(later)
    assert current.session is later
    assert former.target.closed
    assert later.past.values("search.query", "text", 0) == ["earlier"]
    assert isinstance(later.last_reply, Reply)
    assert (later.preferences.listed, later.retain) == (3, 5_000)
    assert later.watch.what == former.watch.what
    assert later.watch is not former.watch
