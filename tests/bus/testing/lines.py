"""Schedules at the grain of lines: for code that takes no lock, and so has no scheduling point of its own."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import bus.dispatch
import bus.mailbox
import bus.promise
import bus.running
import bus.trace.outlet
from bus import Bus
from bus.testing.controlled import ControlledRuntime
from bus.testing.points import ScheduledBus
from bus.testing.run import Scenario
from bus.testing.scheduler import Scheduler

LOCK_FREE = frozenset(
    module.__file__ for module in (bus.dispatch, bus.mailbox, bus.promise, bus.running, bus.trace.outlet)
)


@contextmanager
def every_line(scenario: Scenario, files: frozenset[str] = LOCK_FREE) -> Iterator[Scenario]:
    """SCENARIO, with a scheduling point before each line of FILES, on all of its threads.

    Nothing watches every call then, as in a program that is only recorded: calls go the short way, which is the one
    without locks.
    """
    spawn = ControlledRuntime.spawn

    def spawn_traced(runtime: ControlledRuntime, name: str, target: Callable[..., None], *args: Any) -> Any:
        return spawn(runtime, name, _traced(runtime._scheduler, files, target), *args)

    def traced(made: Bus) -> None:
        runtime = made.runtime
        assert isinstance(runtime, ControlledRuntime)
        assert isinstance(made, ScheduledBus)
        points, hooks = made._points, made.hooks
        for hook in hooks._installed:
            hooks.remove(hook)
        hooks.add(
            SimpleNamespace(wait_began=points.wait_began, wait_ended=points.wait_ended, ended_notably=points.ended)
        )
        assert hooks.plain
        _traced(runtime._scheduler, files, scenario)(made)

    with patch.object(ControlledRuntime, "spawn", spawn_traced):
        yield traced


def _traced(scheduler: Scheduler, files: frozenset[str], target: Callable[..., None]) -> Callable[..., None]:
    def local(frame: FrameType, event: str, arg: object) -> Any:
        if event == "line" and not scheduler.over and scheduler.inside():
            scheduler.point()
        return local

    def enter(frame: FrameType, event: str, arg: object) -> Any:
        return local if frame.f_code.co_filename in files else None

    def run(*args: Any) -> None:
        before = sys.gettrace()
        sys.settrace(enter)
        try:
            target(*args)
        finally:
            sys.settrace(before)

    return run
