"""All rules, in the order in which they are told."""

from typing import Final

from console.model.problems.causes import Loop, Storm
from console.model.problems.durations import BlockedElsewhere, LongTail
from console.model.problems.failures import Failing, Swallowed
from console.model.problems.listeners import ListenerLeak, NeverMatched, NoListener
from console.model.problems.losses import Lossy, Reported
from console.model.problems.queues import QueueGrowth
from console.model.problems.rule import Rule
from console.model.problems.turns import WaitsMoreThanWorks
from console.model.problems.waits import Deadlock, Starved, Stuck

RULES: Final[tuple[type[Rule], ...]] = (
    Lossy, Deadlock, Stuck, Starved, QueueGrowth, WaitsMoreThanWorks, Failing, Swallowed, NoListener, NeverMatched,
    ListenerLeak, Loop, Storm, LongTail, BlockedElsewhere, Reported,
)  # fmt: skip
"""`lossy` looks first: the others want to know from it whether anything was lost."""
