"""When Python's garbage collector may run."""

import gc
from collections.abc import Iterator

import pytest

from console import collecting


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The collector of the tests is what it was."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    gc.enable()


def test_what_is_made_at_the_start_is_left_alone() -> None:
    """The collector rests, then it runs, and what was made meanwhile is not searched any more."""
    collecting.hold()
    assert not gc.isenabled()
    kept = [[] for _ in range(1_000)]  # type: ignore[var-annotated]  # only their number counts
    collecting.resume()
    assert gc.isenabled()
    assert gc.get_freeze_count() >= len(kept)


def test_nothing_is_left_alone_where_the_collector_was_not_held() -> None:
    """A program that shows screens in its own process keeps the collector that it has."""
    before = gc.get_freeze_count(), gc.get_threshold()
    collecting.resume()
    assert (gc.get_freeze_count(), gc.get_threshold()) == before
