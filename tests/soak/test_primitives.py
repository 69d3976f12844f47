"""The primitives of the bus under ten thousand schedules each."""

from collections.abc import Callable

import pytest

from tests.bus.testing.primitives import PRIMITIVES, report_of


@pytest.mark.parametrize("name", PRIMITIVES)
def test_primitive_holds(name: str, figure: Callable[[str], None]) -> None:
    """No schedule breaks what its scenario says."""
    figure(report_of(name, 10_000))
