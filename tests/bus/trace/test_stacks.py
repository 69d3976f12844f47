import json

import pytest

from bus.trace.stacks import TRACEBACK_LIMIT, error_of


def raised(error):
    try:
        raise error
    except BaseException as caught:
        return caught


def test_an_error_is_told_with_type_message_and_place():
    """As Python would print it, without the header."""
    error = error_of(raised(ValueError("no such file")))
    assert (error.type, error.message) == ("ValueError", "no such file")
    assert "in raised" in error.traceback
    assert error.traceback.endswith("ValueError: no such file")


def test_causes_come_first_and_notes_last():
    """The order of Python's own tracebacks."""
    try:
        try:
            raise KeyError("inner")
        except KeyError as cause:
            raise ValueError("outer") from cause
    except ValueError as caught:
        caught.add_note("in command x")
        lines = error_of(caught).traceback.splitlines()
    assert lines.index("KeyError: 'inner'") < lines.index("ValueError: outer") < lines.index("in command x")


def test_the_own_innermost_frame_is_named():
    """Not the library's in which it was raised; and of an error that has none of the program's, that of its cause."""

    def parse():
        json.loads("{")

    def fail():
        try:
            parse()
        except ValueError as cause:
            raise KeyError("no such thing") from cause

    for inner in (parse, fail):
        with pytest.raises((ValueError, KeyError)) as caught:
            inner()
        line = inner.__code__.co_firstlineno + (1 if inner is parse else 4)
        assert error_of(caught.value).where == f"{__file__}:{line} in {inner.__qualname__}"
    bare = ValueError("never raised")
    bare.__cause__ = caught.value
    assert f"in {fail.__qualname__}" in error_of(bare).where
    assert error_of(ValueError("never raised")).where == ""


@pytest.mark.parametrize("depth", [10, 900])
def test_a_deep_traceback_is_bounded_and_keeps_its_end(depth):
    """What is at the end matters most."""

    def sink(left):
        if left == 0:
            raise ValueError("x" * 5_000)
        sink(left - 1)

    try:
        sink(depth)
    except ValueError as caught:
        error = error_of(caught)
    assert len(error.traceback.encode()) <= TRACEBACK_LIMIT
    assert "raise ValueError" in error.traceback
    assert len(error.message.encode()) <= 2_048


def test_messages_are_escaped_and_scrubbed():
    """An error text is as hostile as any other, and likes to quote passwords."""
    error = error_of(raised(ValueError("\x1b]52;c;x\x07 password=hunter2 \u202e")))
    assert "hunter2" not in error.message + error.traceback
    assert (error.message + error.traceback).replace("\n", "").isprintable()


def test_given_secrets_appear_nowhere():
    """Neither in the message nor in the text of a cause."""
    try:
        try:
            raise KeyError("hunter2")
        except KeyError as cause:
            raise ValueError("cannot log in with hunter2") from cause
    except ValueError as caught:
        error = error_of(caught, ["hunter2"])
    assert "hunter2" not in error.message + error.traceback


def test_an_error_that_cannot_be_read_is_named():
    """Whatever its `__str__` raises."""

    class Hostile(Exception):
        def __str__(self):
            raise SystemExit

    error = error_of(raised(Hostile()))
    assert error.message == "<unreadable Hostile>"
    assert error.type.endswith("Hostile")


def test_a_chain_of_errors_that_closes_on_itself_comes_to_an_end():
    """A cause may be its own cause."""
    one, two = ValueError("1"), ValueError("2")
    one.__cause__, two.__cause__ = two, one
    assert error_of(one).traceback.count("ValueError") == 2
