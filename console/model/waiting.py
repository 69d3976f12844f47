"""Who waits for whom at this moment, as a tree: from live stacks, the cycles first."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from bus.trace.records import Stack

MAX_LINES: Final = 200


class WaitLine(Struct, frozen=True):
    """A line of the tree: what LANE (0: none, nobody runs it yet) does at this LEVEL below the one who waits for it.

    `text` says whom it waits for, "" for nobody: then it is what all above it wait for. `cycle`: it is part of one.
    `again`: whom it waits for was told further up, which closes a cycle. `timed`: its own wait ends by itself.
    `since`: when its call started, 0 if it did not.
    """

    level: int
    lane: int
    thread: str
    call: int
    name: str
    service: str
    since: int = 0
    text: str = ""
    timed: bool = False
    cycle: bool = False
    again: bool = False


def waits(stacks: Sequence[Stack]) -> tuple[WaitLine, ...]:
    """The tree of all waits in STACKS: the cycles, then those who wait and whom nobody waits for."""
    graph = _Graph(stacks)
    lines: list[WaitLine] = []
    for root in graph.roots():
        lines += islice(graph.below(root, 0), MAX_LINES - len(lines))
    return tuple(lines)


class _Graph:
    def __init__(self, stacks: Sequence[Stack]) -> None:
        self._stacks: Mapping[int, Stack] = {stack.lane: stack for stack in stacks}
        self._of: dict[str, list[int]] = {}
        for stack in stacks:
            self._of.setdefault(stack.service, []).append(stack.lane)
        self._next = {stack.lane: self._waits_for(stack) for stack in stacks if stack.waiting}
        self._held = self._without_end()
        self._told: set[int] = set()
        self._cyclic = {lane for cycle in self._cycles() for lane in cycle}

    def roots(self) -> Iterator[int]:
        """Where to begin: one lane of each cycle, then whoever waits and is not waited for."""
        yield from (cycle[0] for cycle in self._cycles())
        waited_for = {lane for others in self._next.values() for lane in others}
        yield from (lane for lane in self._next if lane not in waited_for)

    def below(self, lane: int, level: int) -> Iterator[WaitLine]:
        """LANE, and under it those that it waits for, and so on; what was told already is not told again."""
        stack = self._stacks[lane]
        again = lane in self._told
        yield WaitLine(
            level, lane, stack.name, stack.call, stack.call_name, stack.service, stack.since, _said(stack),
            timed=stack.waiting is not None and stack.waiting.timed, cycle=lane in self._cyclic, again=again,
        )  # fmt: skip
        if again or stack.waiting is None:
            return
        self._told.add(lane)
        others = self._next[lane]
        if not others:
            yield _nobody(stack, level + 1)
        for other in others:
            yield from self.below(other, level + 1)

    def _waits_for(self, stack: Stack) -> tuple[int, ...]:
        """The lanes one of which has to go on first: the one that runs the call, or any that may take it."""
        waiting = stack.waiting
        if waiting is None:
            return ()
        if waiting.lane in self._stacks and waiting.lane:
            return (waiting.lane,)
        return tuple(lane for lane in self._of.get(waiting.service, ()) if self._stacks[lane].call)

    def _without_end(self) -> set[int]:
        """The lanes that go on only when a wait ends by itself; a cycle is among them."""
        held = set(self._next)
        while free := {lane for lane in held if not self._next[lane] or any(o not in held for o in self._next[lane])}:
            held -= free
        return held

    def _cycles(self) -> list[list[int]]:
        """Each cycle once, from its lowest lane on; of a pool, the first worker stands for all."""
        cycles: list[list[int]] = []
        seen: set[int] = set()
        for start in sorted(self._held):
            path: list[int] = []
            lane = start
            while lane not in path and lane not in seen:
                path.append(lane)
                lane = next(other for other in self._next[lane] if other in self._held)
            if lane in path:
                cycles.append(path[path.index(lane) :])
            seen.update(path)
        return cycles


def _said(stack: Stack) -> str:
    waiting = stack.waiting
    if waiting is None:
        return ""
    if waiting.what == "call":
        queued = "" if waiting.lane else ", queued"
        return f"{waiting.name} #{waiting.call}{queued}"
    return f"room in {waiting.service}" if waiting.what == "room" else f"the end of {waiting.service}"


def _nobody(stack: Stack, level: int) -> WaitLine:
    """What is waited for is with no lane that is known: about to be taken, or done."""
    waiting = stack.waiting
    name, call, service = (waiting.name, waiting.call, waiting.service) if waiting else ("", 0, "")
    return WaitLine(level, 0, "", call, name, service)
