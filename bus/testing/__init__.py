"""Finds the order of things under which a program on the bus fails, and runs it again in that order."""

from bus.testing.errors import (
    ScheduleDiverged,
    ScheduleError,
    Stuck,
    TooManySteps,
    UncontrolledBlocking,
    UncontrolledThread,
)
from bus.testing.search import Report, Schedule, explore, replay

__all__ = [
    "Report",
    "Schedule",
    "ScheduleDiverged",
    "ScheduleError",
    "Stuck",
    "TooManySteps",
    "UncontrolledBlocking",
    "UncontrolledThread",
    "explore",
    "replay",
]
