"""An error is an answer: it arrives with the way that it came, and the worker lives on."""

import threading
from collections.abc import Iterator

import pytest

from bus import Bus, HandlerAborted
from tests.bus.gate import Gate


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        yield made


def test_error_of_a_handler_arrives_with_its_chain(bus: Bus) -> None:
    """The handler's own exception arrives, with a note for each call that it passed."""

    def inner() -> None:
        raise ValueError("inner broke")

    bus.register_command("inner", inner)
    bus.register_command("outer", lambda: bus.execute_command("inner").result(10))
    with pytest.raises(ValueError, match="inner broke") as caught:
        bus.execute_command("outer").result(10)
    first, second = caught.value.__notes__
    assert first.startswith("in command inner on main-")
    assert ", called from outer on main-" in first
    assert first.endswith(f"← {threading.current_thread().name}")
    assert second.startswith("in command outer on main-")


def test_error_raised_again_has_its_notes_replaced(bus: Bus) -> None:
    """One exception object that is raised by call after call does not collect notes."""
    error = ValueError("the same one")

    def fail() -> None:
        raise error

    bus.register_command("fail", fail)
    for _ in range(3):
        with pytest.raises(ValueError, match="the same one"):
            bus.execute_command("fail").result(10)
    assert len(error.__notes__) == 1


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_worker_survives_an_exit_in_a_handler(bus: Bus, kind: type[BaseException]) -> None:
    """An exit raised by a handler arrives as HandlerAborted, and the thread lives on."""
    gate = bus.add(Gate())

    def leave() -> None:
        raise kind

    bus.register_command("leave", leave, service=gate)
    with pytest.raises(HandlerAborted, match=kind.__name__):
        bus.execute_command("leave").result(10)
    assert bus.execute_command("count").result(10) == 1
