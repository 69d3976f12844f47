"""A command that lies under another one belongs to its service as much as the one on top."""

import pytest

from bus import Bus, CommandNotFound, Service


def test_what_lies_under_another_command_goes_with_its_service_too() -> None:
    """A service that is removed takes all of its commands along, also those that were shadowed."""
    with Bus("test") as bus:
        bus.add(Service("a"))
        for number in range(2):
            bus.register_command("x", lambda number=number: number, service="a", if_exists="shadow")
        bus.remove("a")
        assert bus.commands() == ()
        with pytest.raises(CommandNotFound, match="its service 'a' was removed"):
            bus.execute_command("x")
