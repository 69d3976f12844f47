"""The lines of a program's output that a filter lets through, as of when they were last looked at."""

from collections import deque
from collections.abc import Callable
from typing import Final

from bus.trace.records import Output
from console.language.filters import ALL, Filter
from console.model.outputs import Outputs
from console.model.predicates import Predicate, Reader, predicate


class OutputRows:
    """Lines by position, each with its number among all that the program said; what is shown does not change by itself.

    Only lines that came since the last time are looked at. A line that was let go stays until the next `update`, so a
    view that is frozen can be read to its end.
    """

    def __init__(self, outputs: Outputs, lane_name: Callable[[int], str]) -> None:
        self._outputs = outputs
        self._lane_name = lane_name
        self._accepts: Predicate[Output] | None = None
        self._lines: deque[Output] = deque()
        self._numbers: deque[int] = deque()
        self._seen = 0

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def seen(self) -> int:
        """Lines that there were when this was last looked at."""
        return self._seen

    @property
    def let_go(self) -> int:
        """Of these, those that are not kept any more."""
        return max(0, self._seen - len(self._outputs))

    def line(self, position: int) -> tuple[int, Output]:
        """The number and the line at a position."""
        return self._numbers[position], self._lines[position]

    def position(self, number: int) -> int:
        """Where the line of this number is, or the next one that is there; -1 when there is none."""
        low, high = 0, len(self._numbers)
        while low < high:
            middle = (low + high) // 2
            if self._numbers[middle] < number:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self._numbers) else -1

    def choose(self, what: Filter) -> None:
        """Show only what WHAT asks for; of all that is kept, at the next `update`."""
        self._accepts = None if what == ALL else predicate(what, reader(self._lane_name))
        self._lines.clear()
        self._numbers.clear()
        self._seen = 0

    def update(self) -> bool:
        """Take in what was said since; whether there was anything."""
        outputs = self._outputs
        if outputs.total == self._seen:
            return False
        fresh = min(outputs.total - self._seen, len(outputs))
        first = outputs.total - fresh + 1
        lines, numbers = outputs.newest(fresh), range(first, outputs.total + 1)
        if self._accepts is None:
            self._lines.extend(lines)
            self._numbers.extend(numbers)
        else:
            for number, line in zip(numbers, lines, strict=True):
                if self._accepts(line):
                    self._lines.append(line)
                    self._numbers.append(number)
        self._seen = outputs.total
        oldest = outputs.total - len(outputs) + 1
        while self._numbers and self._numbers[0] < oldest:
            self._numbers.popleft()
            self._lines.popleft()
        return True


def reader(lane_name: Callable[[int], str]) -> Reader[Output]:
    """What can be asked of a line; a word is looked for in its text, and in the name of its thread."""
    return Reader(
        texts={
            "text": lambda line: (line.text,), "level": lambda line: (line.level,),
            "lane": lambda line: (lane_name(line.lane),),
        },
        choices={"stream": lambda line: (line.stream,)},
        numbers={"call": lambda line: line.call or None},
        bare=_BARE,
        quoted=("text",),
    )  # fmt: skip


_BARE: Final = ("text", "lane")
