"""What the keys of timings stand for, and timings as records, for the few who look at each."""

from collections.abc import Sequence
from typing import Final

from bus.attach.protocol import Batch
from bus.trace.records import AnyRecord
from bus.trace.timings import Label, makers

_UNKNOWN: Final[Label] = ("command", "", "", 0)


class Labels(dict[int, Label]):
    """Filled from batches, in the order in which they came. Owned by one thread at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._makers = makers(self)

    def __missing__(self, key: int) -> Label:
        return _UNKNOWN  # no program of ours leaves one out

    def take(self, batch: Batch) -> None:
        """Note what BATCH says of its keys."""
        if batch.anew:
            self.clear()
        self.update((legend.key, (legend.kind, legend.name, legend.service, legend.entry)) for legend in batch.legends)

    def records(self, batch: Batch) -> Sequence[AnyRecord]:
        """All that BATCH, which was taken, tells, as records."""
        if not batch.timings:
            return batch.records
        return (*batch.records, *[self._makers[timing.__class__](timing) for timing in batch.timings])
