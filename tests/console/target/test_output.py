import os
import subprocess
import sys

from bus.trace.output import MARK, ORIGIN
from bus.trace.records import Dropped, Output
from console.target import output
from console.target.output import MAX_LINE, Tail


def texts(records):
    return [record.text for record in records if isinstance(record, Output)]


def test_lines_come_as_they_are_ended():
    """A line without an end waits for it, or for the end of the child."""
    tail = Tail("stdout")
    os.write(tail.file.fileno(), b"one\ntwo\nthr")
    assert texts(tail.read()) == ["one", "two"]
    os.write(tail.file.fileno(), b"ee\nfour")
    assert texts(tail.read()) == ["three"]
    assert texts(tail.read(last=True)) == ["four"]
    assert tail.read(last=True) == []
    tail.close()


def test_lines_are_escaped_and_bounded():
    """They are the program's, and may be of any length and encoding."""
    tail = Tail("stderr")
    os.write(tail.file.fileno(), b"\x1b[31mred\r\n\xff\xfe\n" + b"x" * 100_000 + b"\n")
    first, second, third = tail.read()
    assert isinstance(first, Output)
    assert (first.text, first.stream) == ("\\x1b[31mred", "stderr")
    assert texts([second]) == ["\\xff\\xfe"]
    assert len(texts([third])[0].encode()) <= MAX_LINE
    tail.close()


def test_what_the_child_recorded_itself_is_kept_apart():
    """It comes with its call from the child; the last lines are all the same those of both."""
    tail = Tail("stderr")
    os.write(tail.file.fileno(), f"before\nmine{MARK}\r\ntheirs{MARK}\nC code\n".encode())
    assert texts(tail.read()) == ["before", "C code"]
    assert texts(tail.recorded) == ["mine", "theirs"]
    assert list(tail.last_lines) == ["before", "mine", "theirs", "C code"]
    tail.close()


def test_what_the_child_had_no_room_for_has_its_origin():
    """Lane, call and moment stand behind the line; what only looks like it is text."""
    tail = Tail("stdout")
    os.write(tail.file.fileno(), f"much{ORIGIN}7:41:123456\n{ORIGIN}x:1:2\n{ORIGIN}7:41:99{MARK}\n".encode())
    first, second = tail.read()
    assert (first.text, first.lane, first.call, first.at) == ("much", 7, 41, 123456)
    assert (second.text, second.lane) == ("\\x1ex:1:2", 0)
    assert texts(tail.recorded) == ["\\x1e7:41:99"]
    tail.close()


def test_a_flood_is_left_out_and_counted(monkeypatch):
    """The console does not fall behind for ever."""
    monkeypatch.setattr(output, "_MAX_BEHIND", 10_000)
    tail = Tail("stdout")
    os.write(tail.file.fileno(), b"line\n" * 10_000 + b"last\n")
    (dropped,) = tail.read()
    assert isinstance(dropped, Dropped)
    assert dropped.count > 0
    os.write(tail.file.fileno(), b"next\n")
    assert texts(tail.read()) == ["next"]
    tail.close()


def test_several_writers_do_not_overwrite_each_other():
    """A child may have children that print to the same place."""
    tail = Tail("stdout")
    code = "import os\nfor n in range(200): os.write(1, b'0123456789' * 5 + b'\\n')"
    children = [subprocess.Popen([sys.executable, "-c", code], stdout=tail.file) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    assert texts(tail.read()) == ["0123456789" * 5] * 600
    tail.close()
