"""How programs with a bus end: always, soon, with the right code, and without a word that they were not asked for."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.bus.endings import Ending, ending, run
from tests.bus.endings_program import SHAPES, WAYS

AT_A_TIME = 4
CHOSEN = dict.fromkeys(
    [
        *(ending("traced", way) for way in WAYS),
        *(ending(shape, way) for shape in SHAPES for way in ("plain", "sigint", "sigterm_closes")),
        *(ending("stuck", way) for way in WAYS if way.endswith("draining")),
        *(ending("commanding", way) for way in ("sys_exit", "close_in_main", "sigterm_closes_asking")),
        Ending("stuck", "plain", drain=4.0),  # what a program gets that changes nothing
    ]
)


@pytest.fixture(scope="module")
def ended(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Ending], list[str]]]:
    """What was wrong with an ending; those that are asked for run a few at a time."""
    asked = [item.callspec.params.get("chosen") for item in request.session.items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        wrong: dict[Ending, Future[list[str]]] = {
            one: pool.submit(run, one, tmp_path_factory.mktemp("end")) for one in asked if isinstance(one, Ending)
        }
        yield lambda one: wrong[one].result()


@pytest.mark.parametrize("chosen", CHOSEN, ids=lambda one: f"{one}-{one.drain:g}")
def test_ending(chosen: Ending, ended: Callable[[Ending], list[str]]) -> None:
    """Within 5 s, with the right code; events are delivered; nothing of the bus is on stderr or left behind."""
    assert ended(chosen) == []
