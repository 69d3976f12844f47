"""All that a store keeps, as records again."""

from collections.abc import Iterator

import numpy as np

from bus.trace.records import AnyRecord
from console.model.store import Store

_BATCH = 4_000


def records(store: Store) -> Iterator[list[AnyRecord]]:
    """What the store keeps in lists: what is no call first, then the calls by their end, those in flight last.

    Of mailbox depths only the last are kept, of waits only the times: they are not among the records.
    """
    yield [
        *store.lanes.values(), *store.entries.values(), *store.states.values(), *store.depths.values(),
        *store.problems, *store.outputs,
    ]  # fmt: skip
    places = [*store.runs.values(), *store.instants.values()]
    sizes = [len(calls) for calls in places]
    ended = np.concatenate([calls["ended"] for calls in places]) if places else np.zeros(0, np.int64)
    which = np.repeat(np.arange(len(places)), sizes)
    where = np.concatenate([np.arange(size) for size in sizes]) if places else ended
    order = np.argsort(ended, kind="stable")
    for first in range(0, len(order), _BATCH):
        some = order[first : first + _BATCH]
        pairs = zip(which[some].tolist(), where[some].tolist(), strict=True)
        yield [store.codec.unpack(places[place], position) for place, position in pairs]
    yield list(store.live.values())
