"""A filter as a question about one thing; what kind of thing it is, a `Reader` says."""

import operator
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct

from console.language.filters import And, Between, Compare, Filter, Is, Match, Not, Or, Phrase, Word
from console.language.patterns import Test, contains, glob, matcher

Thing = TypeVar("Thing")
Predicate = Callable[[Thing], bool]

ORDERS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
"""Of numbers and of columns of them."""


class Reader(Struct, Generic[Thing], frozen=True):
    """How to read the fields of a thing, those of each kind by name.

    A text field has any number of texts, of which one has to fit; a choice field has what holds of it; a number is None
    where it is not known. `bare` and `quoted`: the text fields that a word and a "text" are looked for in.
    """

    texts: Mapping[str, Callable[[Thing], Collection[str]]]
    choices: Mapping[str, Callable[[Thing], Collection[str]]]
    numbers: Mapping[str, Callable[[Thing], float | None]]
    bare: tuple[str, ...]
    quoted: tuple[str, ...]


def predicate(what: Filter, reader: Reader[Thing]) -> Predicate[Thing]:
    """Whether a thing is what WHAT asks for."""
    match what:
        case Not(of):
            inner = predicate(of, reader)
            return lambda thing: not inner(thing)
        case And(()):
            return lambda _thing: True
        case And(several):
            all_of = [predicate(each, reader) for each in several]
            return lambda thing: all(each(thing) for each in all_of)
        case Or(several):
            any_of = [predicate(each, reader) for each in several]
            return lambda thing: any(each(thing) for each in any_of)
        case _:
            return _term(what, reader)


def searched(what: Word | Phrase | Match, bare: tuple[str, ...], quoted: tuple[str, ...]) -> tuple[str, ...]:
    """The fields that WHAT looks at."""
    match what:
        case Word():
            return bare
        case Phrase():
            return quoted
        case Match(field):
            return (field,)


def text_test(what: Word | Phrase | Match) -> Test:
    """What WHAT asks of a text."""
    match what:
        case Word(text):
            return matcher(text)
        case Match(_, text, "is"):
            return lambda said: said == text
        case Match(_, text, "pattern"):
            return glob(text)
        case Phrase(text) | Match(_, text):
            return contains(text)


def _term(what: Word | Phrase | Match | Is | Compare | Between, reader: Reader[Thing]) -> Predicate[Thing]:
    match what:
        case Is(field, choice):
            holds = reader.choices[field]
            return lambda thing: choice in holds(thing)
        case Compare(field, op, value):
            order = ORDERS[op]
            return _number(reader.numbers[field], lambda number: order(number, value))
        case Between(field, least, most):
            return _number(reader.numbers[field], lambda number: least <= number <= most)
        case _:
            names = searched(what, reader.bare, reader.quoted)
            return _texts(text_test(what), [reader.texts[name] for name in names])


def _texts(test: Test, reads: list[Callable[[Thing], Collection[str]]]) -> Predicate[Thing]:
    return lambda thing: any(test(text) for read in reads for text in read(thing))


def _number(read: Callable[[Thing], float | None], test: Callable[[float], bool]) -> Predicate[Thing]:
    def holds(thing: Thing) -> bool:
        number = read(thing)
        return number is not None and test(number)

    return holds
