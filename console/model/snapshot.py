"""All that a store keeps, as records again."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from bus.trace.records import AnyRecord, Call
from console.model.blocks import Codec
from console.model.lane import Calls
from console.model.store import Store

_BATCH = 4_000


def records(store: Store) -> Iterator[list[AnyRecord]]:
    """What the store keeps in lists: what is no call first, then the calls by their end, those in flight last.

    Of mailbox depths only the last are kept, of waits only the times: they are not among the records.
    """
    return frozen(store)()


def frozen(store: Store) -> Callable[[], Iterator[list[AnyRecord]]]:
    """What gives all records that STORE has now, as `records` does, as often as it is called, on whichever thread.

    Nothing of size is copied: what is kept of calls is only ever added to, or replaced as a whole.
    """
    others: list[AnyRecord] = [
        *store.lanes.values(), *store.entries.values(), *store.states.values(), *store.depths.values(),
        *store.problems, *store.outputs,
    ]  # fmt: skip
    places = [calls.shared() for calls in (*store.runs.values(), *store.instants.values())]
    return partial(_records, others, places, store.codec.shared(), list(store.live.values()))


def _records(
    others: list[AnyRecord], places: list[Calls], codec: Codec, live: list[Call]
) -> Iterator[list[AnyRecord]]:  # fmt: skip
    yield others
    sizes = [len(calls) for calls in places]
    ended = np.concatenate([calls["ended"] for calls in places]) if places else np.zeros(0, np.int64)
    which = np.repeat(np.arange(len(places)), sizes)
    where = np.concatenate([np.arange(size) for size in sizes]) if places else ended
    order = np.argsort(ended, kind="stable")
    for first in range(0, len(order), _BATCH):
        some = order[first : first + _BATCH]
        calls: list[Call] = []
        homes, rows = which[some], where[some]
        for home in np.unique(homes).tolist():
            calls += codec.unpacked(places[home], rows[homes == home])
        ranks = np.argsort(np.argsort(homes, kind="stable"))
        yield [calls[rank] for rank in ranks.tolist()]
    yield list(live)
