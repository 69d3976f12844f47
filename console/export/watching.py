"""How far an export is: it reads all records once to know what there is, and then as often as its format needs."""

from collections.abc import Callable, Iterator

from bus.trace.records import AnyRecord

Lists = Callable[[], Iterator[list[AnyRecord]]]
"""Gives all records, each time it is called."""
Step = Callable[[str, float], None]
"""Is told what is done and how much of it, 0.0 to 1.0; may raise to stop it."""


def watched(read: Lists, total: int, step: Step) -> Lists:
    """READ, which gives about TOTAL records; STEP hears at each list of them how far it is."""
    passes = 0

    def lists() -> Iterator[list[AnyRecord]]:
        nonlocal passes
        passes += 1
        doing, seen = "reading" if passes == 1 else "writing", 0
        for some in read():
            step(doing, seen / max(1, total))
            seen += len(some)
            yield some

    return lists
