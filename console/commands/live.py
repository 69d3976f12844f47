"""The console's commands about services and threads: most ask the program what it is doing right now."""

from collections.abc import Sequence
from difflib import get_close_matches

from bus.attach.protocol import Reply
from console.commands.results import Asked, LetterList, Mistake, Outcome, ServiceList, StackList, ThreadList, WaitsShown
from console.model.waiting import waits as tree_of
from console.session import Session
from console.target import TargetError


def services(session: Session, _args: Sequence[str]) -> Outcome:
    """Every service with its state and figures."""
    return ServiceList(tuple(row for row in session.services() if row.name), session.now())


def threads(session: Session, _args: Sequence[str]) -> Outcome:
    """Every thread with what it runs, and, while the program lives, the line at which it stands."""
    rows = tuple(session.services())
    try:
        pending = session.stacks()
    except TargetError:
        return ThreadList(rows, (), session.now())
    return Asked(pending, lambda reply: ThreadList(rows, reply.stacks, session.now(), reply.left_out))


def stack(session: Session, args: Sequence[str]) -> Outcome:
    """The live stack of the thread that runs a call, or of a thread by its name."""
    digits = args[0].removeprefix("#")
    if digits.isascii() and digits.isdigit():
        number = min(int(digits), (1 << 63) - 1)
        return Asked(session.stacks(calls=[number]), lambda reply: _found(reply, f"call #{number} does not run now"))
    keys = [lane.key for lane in session.threads() if lane.name == args[0]]  # those of threads that ended, too
    return Asked(session.stacks(lanes=keys), lambda reply: _named(session, reply, args[0]))


def waits(session: Session, _args: Sequence[str]) -> Outcome:
    """Who waits for whom right now."""
    return Asked(session.stacks(), lambda reply: _waits(session, reply))


def dead(session: Session, _args: Sequence[str]) -> Outcome:
    """What nobody could receive."""
    pending = session.dead_letters()
    return Asked(pending, lambda reply: LetterList(reply.letters, reply.left_out, session.now()))


def _found(reply: Reply, missing: str) -> Outcome:
    return StackList(reply.stacks) if reply.stacks else Mistake(missing, "")


def _named(session: Session, reply: Reply, name: str) -> Outcome:
    """A thread that no record named, as a main thread that never used the bus, is among all that were asked."""
    stacks = tuple(one for one in reply.stacks if one.name == name)
    if stacks:
        return StackList(stacks)
    known = session.lanes()
    if name in known:
        return Mistake(f"the thread {name} has ended", "")
    close = get_close_matches(name, known, n=3)
    hint = f": did you mean {' or '.join(close)}?" if close else ": threads lists them"
    return Mistake(f"no thread is called {name}{hint}", "")


def _waits(session: Session, reply: Reply) -> Outcome:
    at = max((one.at for one in reply.stacks), default=session.now())
    return WaitsShown(tree_of(reply.stacks), at)
