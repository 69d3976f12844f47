"""Exceptions and values that do harm when they are looked at."""

import asyncio
from collections.abc import Callable, Iterator
from typing import NoReturn


class Harm(BaseException):
    """What hostile code raises: no `except Exception` stops it."""


def harm(*_: object, **__: object) -> NoReturn:
    raise Harm


class RaisingText(Exception):
    __str__ = __repr__ = harm


class RaisingExit(SystemExit):
    __str__ = __repr__ = harm


class RaisingInterrupt(KeyboardInterrupt):
    __str__ = __repr__ = harm


class NoCopy(Exception):
    __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = harm

    def __init__(self, one: int, *, two: int) -> None:
        super().__init__()


class OwnTraceback(Exception):
    with_traceback = harm


class OtherTraceback(Exception):
    def with_traceback(self, tb: object) -> int:  # type: ignore[override]
        return 5


class RaisingAttributes(Exception):
    __getattribute__ = __setattr__ = __delattr__ = harm


class Frozen(Exception):
    __slots__ = ()
    __setattr__ = harm


class Empty(Exception):
    """False, and raises when it is asked."""

    __bool__ = __len__ = __eq__ = __hash__ = harm


class Disguised(Exception):
    __class__ = property(harm)  # type: ignore[assignment]


class NotesOfNone(Exception):
    __notes__ = None


class NotesOfNumber(Exception):
    __notes__ = 5


class RaisingNotes(Exception):
    __notes__ = property(harm)


class OddText(str):
    __slots__ = ()
    __getitem__ = __len__ = __iter__ = __eq__ = __hash__ = __format__ = __add__ = __contains__ = harm  # type: ignore[assignment]
    replace = encode = isprintable = harm  # type: ignore[assignment]


class OddTextError(Exception):
    def __str__(self) -> str:
        return OddText("odd")

    __repr__ = __str__


class NoText(Exception):
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307  on purpose

    __repr__ = __str__


class Meta(type):
    __getattribute__ = __call__ = harm
    __repr__ = __str__ = harm


class Plain(Exception):
    pass


def odd_class() -> BaseException:
    kind = type.__new__(Meta, "OddClass", (Exception,), {"__module__": []})
    return BaseException.__new__(kind)


def with_notes(notes: object) -> BaseException:
    error = Plain("noted")
    error.__notes__ = notes  # type: ignore[assignment]
    return error


def cycle() -> BaseException:
    one, two = Plain("one"), Plain("two")
    one.__cause__, two.__cause__ = two, one
    one.__context__, two.__context__ = two, one
    return one


def chain() -> BaseException:
    first = last = Plain("first")
    for number in range(20_000):
        last.__cause__ = Plain(number)
        last = last.__cause__
    return first


def false_cause() -> BaseException:
    error = Plain("because")
    error.__cause__ = Empty()
    return error


def groups() -> BaseException:
    group: BaseExceptionGroup[BaseException] = BaseExceptionGroup("deepest", [RaisingText(), SystemExit(3)])
    for _ in range(200):
        group = BaseExceptionGroup("deeper", [group, RaisingText()])
    return group


ERRORS: dict[str, Callable[[], BaseException]] = {
    "text raises": RaisingText,
    "text of an exit raises": RaisingExit,
    "text of an interrupt raises": RaisingInterrupt,
    "cannot be copied": lambda: NoCopy(1, two=2),
    "with_traceback raises": OwnTraceback,
    "with_traceback returns a number": OtherTraceback,
    "every attribute raises": RaisingAttributes,
    "takes no attributes": Frozen,
    "truth, length and equality raise": Empty,
    "its class raises": Disguised,
    "notes are None": NotesOfNone,
    "notes are a number": NotesOfNumber,
    "notes raise": RaisingNotes,
    "notes are no texts": lambda: with_notes([5, None, Empty(), OddText("odd")]),
    "notes are a text": lambda: with_notes("abc"),
    "text is a hostile str": OddTextError,
    "text is no str": NoText,
    "metaclass raises": odd_class,
    "causes go round": cycle,
    "twenty thousand causes": chain,
    "a cause that is false": false_cause,
    "groups in groups": groups,
    "text of 10 MB": lambda: Plain("x" * 10_000_000),
    "stop iteration": lambda: StopIteration(1),
    "stop async iteration": StopAsyncIteration,
    "generator exit": GeneratorExit,
    "cancelled": asyncio.CancelledError,
    "memory": MemoryError,
    "surrogates": lambda: Plain("\ud800\x00\x1b[2J"),
}


class Value:
    """Harms whoever looks at it."""

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __reduce_ex__ = __format__ = harm  # type: ignore[assignment]
    __getattribute__ = harm


_MADE: tuple[tuple[object, ...], ...] = (
    (),
    ("text",),
    ("text", [ValueError("inner")]),
    ("utf-8", b"x", 0, 1, "reason"),
    ("utf-8", "x", 0, 1, "reason"),
    ("x", 0, 1, "reason"),
)


def every_kind() -> Iterator[BaseException]:
    """One of each exception class that is loaded now and that can be made."""
    seen: set[type] = set()
    ahead: list[type[BaseException]] = [BaseException]
    while ahead:
        kind = ahead.pop()
        if kind in seen or kind.__module__ == __name__:
            continue
        seen.add(kind)
        ahead += type.__subclasses__(kind)
        made = _made(kind)
        if made is not None:
            yield made


def _made(kind: type[BaseException]) -> BaseException | None:
    for args in _MADE:
        try:
            made = kind(*args)
        except Exception:
            continue
        return made if isinstance(made, BaseException) else None
    return None
