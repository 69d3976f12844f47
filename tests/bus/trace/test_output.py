"""What the program prints and logs becomes records, and the program does not notice."""
# ruff: noqa: T201  what is printed is what these tests are about

import io
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from bus import Bus, Secret, Service, lanes, switches
from bus.trace import output
from bus.trace.output import MARK, ORIGIN, Capture
from bus.trace.recorder import Recorder
from bus.trace.records import Dropped, Level, Output
from bus.trace.redact import TEXT_LIMIT
from bus.trace.session import SessionReader
from tests.bus.trace.test_recorder import Memory

LOG = logging.getLogger("tests.output")


def this_call() -> int:
    """The id of the call that this thread runs."""
    call = lanes.current_call()
    assert call is not None
    return call.id


class Program:
    """A bus, and what is recorded of what it says."""

    def __init__(self, level: Level = "times", *, marking: bool = False) -> None:
        self.bus = Bus("talker")
        self.bus.add(Service("one"))
        self.recorder = Recorder(self.bus, level)
        self.memory = Memory()  # type: ignore[no-untyped-call]  # of an untyped test
        self.recorder.add(self.memory)
        self.capture = Capture(self.recorder, self.bus.runtime, marking=marking)
        self.recorder.add_source(self.capture.take)
        self._former = sys.stdout
        self.stdout = io.StringIO()
        if not isinstance(sys.stdout, output._Tee):
            sys.stdout = self.stdout
        self.capture.open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if sys.stdout is self.stdout:
            sys.stdout = self._former

    @property
    def printed(self) -> str:
        """What the program's own stdout got."""
        return self.stdout.getvalue()

    def said(self) -> list[Output]:
        """All so far."""
        assert self.recorder.flush()
        found: list[Output] = self.memory.of(Output)  # type: ignore[no-untyped-call]  # as above
        return found

    def texts(self) -> list[str]:
        """The same as text."""
        return [one.text for one in self.said()]

    def lost(self) -> int:
        """How many lines."""
        assert self.recorder.flush()
        found: list[Dropped] = self.memory.of(Dropped)  # type: ignore[no-untyped-call]  # as above
        return sum(one.count for one in found if one.where == "output")

    def close(self) -> None:
        """End all of it."""
        self.capture.close()
        self.recorder.close()
        self.bus.close()


def test_a_line_has_the_lane_and_the_call_that_said_it() -> None:
    """Printed, to either stream, and logged; outside of calls there is only the lane."""
    with Program() as program:

        def talk() -> int:
            print("to stdout", 1)
            sys.stderr.write("to stderr\n")
            LOG.error("to the %s", "log")
            return this_call()

        program.bus.register_command("talk", talk, service="one")
        print("before")
        call = program.bus.execute_command("talk").result()
        here, (lane,) = lanes.current_lane(), {one.lane for one in program.said() if one.call}
        assert lane != here
        assert [(one.stream, one.text, one.level, one.lane, one.call) for one in program.said()] == [
            ("stdout", "before", "", here, 0),
            ("stdout", "to stdout 1", "", lane, call),
            ("stderr", "to stderr", "", lane, call),
            ("log", "tests.output: to the log", "ERROR", lane, call),
        ]
        assert program.printed == "before\nto stdout 1\n"


def test_a_line_is_whole_whoever_prints_in_between() -> None:
    """Each thread has its own beginning of a line, in each stream."""
    with Program() as program:
        sys.stdout.write("one ")
        sys.stderr.write("error ")
        thread = threading.Thread(target=lambda: sys.stdout.writelines(["other\n", "left"]))
        thread.start()
        thread.join()
        sys.stdout.write("two\nthree\nfo")
        sys.stderr.write("said\n")
        sys.stdout.write("ur\n\n")
        assert program.texts() == ["other", "one two", "three", "error said", "four", ""]
        program.capture.close()
        assert program.texts()[-1] == "left"


def test_a_line_that_a_call_began_stays_the_calls() -> None:
    """What the next call of the thread prints is a line of its own."""

    def say(text: str) -> int:
        sys.stdout.write(text)
        return this_call()

    with Program() as program:
        program.bus.register_command("say", say, service="one")
        calls = [program.bus.execute_command("say", text).result() for text in ("abc", "def\n")]
        assert [(one.text, one.call) for one in program.said()] == [("abc", calls[0]), ("def", calls[1])]


def test_nothing_of_the_programs_own_is_changed() -> None:
    """Afterwards its streams and its factory are what they were, and meanwhile logging can still be set up."""

    def state() -> tuple[object, ...]:
        return sys.stdout, sys.stderr, logging.getLogRecordFactory()

    before, handlers = state(), list(logging.getLogger().handlers)
    with Program():
        assert logging.getLogger().handlers == handlers
        assert sys.stdout.getvalue() == ""  # type: ignore[attr-defined]  # the stream's own attributes are there
        assert not set(before) & set(state())
    assert state() == before
    assert logging.getLogger().handlers == handlers


def test_two_programs_in_one_process_are_told_apart_and_undone_in_any_order() -> None:
    """Each has all lines, a call's id only where it is its own; what was closed in the middle leaves nothing."""
    before = sys.stdout, logging.getLogRecordFactory()
    first, second = Program(), Program()
    first.bus.register_command("say", lambda: (print("hello"), this_call())[1], service="one")
    call = first.bus.execute_command("say").result()
    assert [(one.text, one.call) for one in first.said()] == [("hello", call)]
    assert [(one.text, one.call) for one in second.said()] == [("hello", 0)]
    first.close()
    print("second only")
    assert second.texts() == ["hello", "second only"]
    assert len(first.memory.of(Output)) == 1  # type: ignore[no-untyped-call]  # of an untyped test
    second.close()
    assert (sys.stdout, logging.getLogRecordFactory()) == (first.stdout, before[1])
    assert first.printed == "hello\nsecond only\n"
    sys.stdout = before[0]


def test_who_wraps_the_stream_meanwhile_keeps_it() -> None:
    """After the end we only pass on."""
    with Program() as program:
        wrapper = io.StringIO()
        ours, sys.stdout = sys.stdout, wrapper
        program.capture.close()
        assert sys.stdout is wrapper
        ours.write("late\n")
        assert program.printed == "late\n"
        assert "late" not in program.texts()


def test_the_secrets_of_a_call_are_not_in_what_it_says() -> None:
    """Of the call itself, by name or by type, also nested; and what looks like a secret anywhere."""
    with Program() as program:

        def login(user: str, pin: Secret[str], config: dict[str, str], token: str) -> None:
            print(user, pin, config["password"], repr(token), sep="|")
            sys.stdout.write(token[:3])
            sys.stdout.write(token[3:] + "\n")
            LOG.warning("pin %s", pin)

        program.bus.register_command("login", login, service="one")
        program.bus.execute_command("login", "ann", "canary-1", {"password": "canary-2"}, token="canary\x1b3").result()
        print("api_key=canary-4")
        assert program.texts() == [
            "ann|‹redacted›|‹redacted›|'‹redacted›'",
            "‹redacted›",
            "tests.output: pin ‹redacted›",
            "api_key=‹redacted›",
        ]


def test_a_secret_is_kept_out_of_what_is_said_after_its_call_failed() -> None:
    """By whoever has the error, and by the bus itself."""
    with Program() as program:

        def login(password: str) -> None:
            raise ValueError("not " + password)

        program.bus.register_command("login", login, service="one")
        error = program.bus.execute_command("login", "canary-5678").exception()
        print("it said:", error)
        assert program.texts() == ["it said: not ‹redacted›"]


def test_what_is_said_while_we_look_at_something_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that logs and prints when it is made text would never come to an end; the rest goes on."""
    with Program() as program:

        class Talking:
            def __str__(self) -> str:
                print("from within")
                LOG.error("again")
                return "talk"

        monkeypatch.setattr(LOG, "propagate", False)  # pytest's own handlers make it text, too
        monkeypatch.setattr(LOG, "handlers", [logging.NullHandler()])
        LOG.error("%s", Talking())
        print("afterwards")
        assert program.texts() == ["tests.output: talk", "afterwards"]
        assert "from within\nafterwards\n" in program.printed


def test_a_message_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's own handlers say what they think of it; nothing reaches the caller."""
    with Program() as program:
        monkeypatch.setattr(logging, "raiseExceptions", False)
        LOG.error("%d", "no number")
        try:
            raise ValueError("bad\x1b[2J")
        except ValueError:
            LOG.exception("failed")
        assert program.texts() == [
            "tests.output: <unreadable message: TypeError>",
            "tests.output: failed (ValueError: bad\\x1b[2J)",
        ]


def test_a_received_record_is_no_message() -> None:
    """`makeLogRecord` begins with an empty one."""
    with Program() as program:
        logging.makeLogRecord({"msg": "from afar", "name": "there"})
        assert program.texts() == []


def test_much_is_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of any length costs its beginning; more lines than fit are lost for the record, not for the reader."""
    with Program() as program:
        sys.stdout.write("x" * 100_000_000)
        sys.stdout.write("y" * 10_000 + "\n")
        (line,) = program.said()
        assert len(line.text.encode()) <= TEXT_LIMIT
        assert line.text.startswith("xxx")
        monkeypatch.setattr(output, "MOST_LINES", 10)
        sys.stdout.write("line\n" * 25 + "rest")
        assert (len(program.said()), program.lost()) == (11, 15)
        sys.stdout.write(" of it\n")
        assert program.texts()[-1] == "rest of it"


def test_a_pump_without_time_costs_lines_not_memory() -> None:
    """They are counted."""
    with Program() as program:
        program.capture._lines.limit = 0
        print("a\nb")
        program.capture._lines.limit = 10
        assert (program.texts(), program.lost()) == ([], 2)


def test_threads_that_leave_their_lines_open_cost_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are too many, what one of them said becomes a line."""
    with Program() as program:
        monkeypatch.setattr(output, "_PARTIAL", 3)
        for number in range(10):
            thread = threading.Thread(target=lambda number=number: sys.stdout.write(str(number)))  # type: ignore[misc]
            thread.start()
            thread.join()
        assert len(program.capture._partial) == 3
        program.capture.close()
        assert sorted(program.texts()) == [str(number) for number in range(10)]


def test_at_the_level_off_nothing_is_recorded() -> None:
    """Switched while the program runs."""
    with Program() as program:
        program.recorder.set_level("off")
        print("off")
        program.recorder.set_level("times")
        print("on")
        assert program.texts() == ["on"]
        assert program.printed == "off\non\n"


def test_marks_are_for_the_lines_that_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads the stream too can tell which ones it has; none is counted as lost."""
    monkeypatch.setattr(output, "MOST_LINES", 2)
    with Program(marking=True) as program:
        sys.stdout.write("a\nb\nc\n")
        sys.stdout.write("d")
        sys.stdout.write("e\n")
        lane = lanes.current_lane()
        assert re.fullmatch(f"a{MARK}\nb{MARK}\nc{ORIGIN}{lane}:0:\\d+\nde{MARK}\n", program.printed)
        assert (program.texts(), program.lost()) == (["a", "b", "de"], 0)


def test_a_line_without_room_says_where_it_comes_from() -> None:
    """Who reads the stream has its lane, its call and its time from there."""
    with Program(marking=True) as program:
        program.capture._lines.limit = 0
        program.bus.register_command("talk", lambda: print("much"), service="one")
        call = program.bus.execute_command("talk")
        call.result(10)
        assert (found := re.search(f"much{ORIGIN}(\\d+):{call.id}:\\d+\n", program.printed))
        assert lanes.lane_of(int(found[1])).service == "one"
        assert program.lost() == 0


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """One that has its own handlers only, and loses them."""
    logger = logging.getLogger("tests.output.twice")
    logger.propagate = False
    yield logger
    for handler in tuple(logger.handlers):
        logger.removeHandler(handler)


@pytest.mark.parametrize("early", [True, False])
def test_what_a_handler_prints_of_a_log_record_is_told_once(early: bool, logger: logging.Logger) -> None:
    """Whether it was set up before the capture or after it; the traceback that it prints is no part of the message."""
    with Program(marking=True) as program:
        if early:
            program.capture.close()
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s!"))
        logger.addHandler(handler)
        if early:
            program.capture.open()
        logger.warning("first\nsecond")
        assert program.texts() == ["tests.output.twice: first\\x0asecond"]
        assert program.printed == f"WARNING first{MARK}\nsecond!{MARK}\n"
        try:
            raise KeyError(7)
        except KeyError:
            logger.exception("failed")
        assert program.texts()[1:3] == [
            "tests.output.twice: failed (KeyError: 7)",
            "Traceback (most recent call last):",
        ]
        print("failed")
        assert program.texts()[-1] == "failed", "what the program prints itself is another thing"
    assert handler.stream is program.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_only_prints(tmp_path: Path) -> None:
    """Nobody would ever read what is recorded there."""
    with Program() as program:
        pid = os.fork()
        if not pid:
            print("child")
            (tmp_path / "left").write_text(str(len(program.capture._lines)))
            os._exit(0)
        os.waitpid(pid, 0)
        assert (tmp_path / "left").read_text() == "0"


TALKER = """
import logging, os
from bus import Bus, Service
bus = Bus("talker")
bus.add(Service("one"))
bus.register_command("talk", lambda: (print("hello"), logging.warning("careful")), service="one")
bus.execute_command("talk").result()
bus.close()
print("after", os.environ.get("BUS_OUTPUT"))
"""


def run(tmp_path: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[Output]]:
    """What TALKER printed, and what of it is in its session file."""
    path = tmp_path / "s.jsonl"
    known = {**os.environ, "BUS_TRACE_FILE": str(path), **environment}
    done = subprocess.run([sys.executable, "-c", TALKER], env=known, capture_output=True, text=True, check=True)
    return done, [record for block in SessionReader(path) for record in block if isinstance(record, Output)]


def test_the_environment_asks_for_it(tmp_path: Path) -> None:
    """A library does not touch the streams unasked; what is asked for is in the session file."""
    done, said = run(tmp_path)
    assert (done.stdout, said) == ("hello\nafter None\n", [])
    done, said = run(tmp_path, BUS_OUTPUT="1")
    assert done.stdout == "hello\nafter 1\n"
    texts = [(one.stream, one.text, bool(one.call)) for one in said]
    assert texts[:2] == [("stdout", "hello", True), ("log", "root: careful", True)]
    assert done.stderr == "WARNING:root:careful\n"


def test_marks_are_for_this_program_only(tmp_path: Path) -> None:
    """What it starts in its turn does not hear of them."""
    done, said = run(tmp_path, BUS_OUTPUT=switches.MARKED)
    assert done.stdout == f"hello{MARK}\nafter None\n"
    assert said[0].text == "hello"


def test_the_capture_of_a_bus_ends_with_it_or_before() -> None:
    """Whoever asked can also say that it is enough."""
    before = sys.stdout
    with Bus("talker") as bus:
        registration = switches.capture(bus)
        assert sys.stdout is not before
        registration.dispose()
        registration.dispose()
        assert sys.stdout is before
        switches.capture(bus)
        assert sys.stdout is not before
    assert sys.stdout is before
