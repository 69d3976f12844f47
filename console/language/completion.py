"""What could stand at the cursor: names, parameters with their types and defaults, and the values that a type names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bus.trace.records import Entry, Parameter
from console.language import fitting
from console.language.candidates import LIMIT, Candidate, matching
from console.language.filter_completion import complete_filter
from console.language.grammar import EXECUTE, FIRE, NO_WAIT, name_of, write_name
from console.language.tokens import LanguageError, Span, Word, is_quoted, words
from console.language.values import write

_POSITIONAL = ("positional_only", "positional_or_keyword")


@dataclass(frozen=True, slots=True)
class VerbInfo:
    """A command of the console: how it is written, what it does, and what its arguments are.

    `takes`: "commands", "events", "names" (both), "topics" (names and verbs), "" for nothing that could be offered.
    `filter_at`: the place of the argument, the last, that is a filter: the rest of the line, as it stands there.
    """

    name: str
    usage: str
    help: str
    takes: str = ""
    filter_at: int | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that can be named. An event's entry is that of its first listener, None where nobody listens.

    `services` and `lanes`: by name, what calls run on.
    """

    commands: Mapping[str, Entry] = field(default_factory=dict)
    events: Mapping[str, Entry | None] = field(default_factory=dict)
    verbs: Mapping[str, VerbInfo] = field(default_factory=dict)
    services: Sequence[str] = ()
    lanes: Sequence[str] = ()


def complete(line: str, cursor: int, catalogue: Catalogue) -> list[Candidate]:
    """What could stand at CURSOR, the best first. Never raises; the text right of the cursor is not looked at."""
    before = line[: max(0, cursor)]
    found = words(before)
    start = _filter_start(found, before, catalogue)
    if start is not None:
        return complete_filter(before, _known(catalogue), start=start)
    if found and found[-1].span.end == len(before):
        given, current = found[:-1], found[-1]
    else:
        given, current = found, Word("", Span(len(before), len(before)))
    if current.problem:
        return []
    try:
        return list(_candidates(given, current, catalogue))[:LIMIT]
    except LanguageError:  # a name between quotes that is none
        return []


def signature(entry: Entry) -> str:
    """An entry's parameters and what it returns, as in `(query: str, limit: int = 20) → list[Hit]`."""
    said = ", ".join(map(describe, entry.parameters))
    return f"({said})" + (f" → {entry.returns}" if entry.returns else "")


def describe(parameter: Parameter) -> str:
    """One parameter as Python writes it: `limit: int = 20`."""
    stars = {"var_positional": "*", "var_keyword": "**"}.get(parameter.kind, "")
    said = stars + parameter.name + (f": {parameter.annotation}" if parameter.annotation else "")
    if parameter.default is None:
        return said
    return f"{said} = {parameter.default}" if parameter.annotation else f"{said}={parameter.default}"


def choices(parameter: Parameter) -> tuple[str, ...]:
    """The values that a parameter's annotation names, as words of a line: of a Literal, an Enum, true and false."""
    if parameter.annotation == "bool":
        return ("true", "false")
    return tuple(write(member) for member in fitting.choices(parameter) if isinstance(member, str | int | None))


def _filter_start(found: list[Word], before: str, catalogue: Catalogue) -> int | None:
    """Where the filter begins that is being written, None if none is."""
    verb = catalogue.verbs.get(found[0].text) if found else None
    if verb is None or verb.filter_at is None or found[0].span.end == len(before):
        return None
    if len(found) > verb.filter_at + 1:
        return found[verb.filter_at + 1].span.start
    ended = found[-1].span.end < len(before)
    return len(before) if ended and len(found) == verb.filter_at + 1 else None


def _known(catalogue: Catalogue) -> Mapping[str, Sequence[str]]:
    names = (*catalogue.commands, *catalogue.events)
    return {"name": names, "service": catalogue.services, "lane": catalogue.lanes, "caller": catalogue.lanes}


def _candidates(given: list[Word], current: Word, catalogue: Catalogue) -> Iterator[Candidate]:
    if not given:
        return _heads(current, catalogue)
    head = given[0].text
    if head in catalogue.verbs and head not in (EXECUTE, FIRE):
        return _verb_arguments(catalogue.verbs[head], current, catalogue)
    if head not in (EXECUTE, FIRE):
        return _arguments(catalogue.commands.get(name_of(given[0])), given[1:], current)
    if len(given) == 1:
        return _names(current, catalogue, "events" if head == FIRE else "commands")
    entries: Mapping[str, Entry | None] = catalogue.events if head == FIRE else catalogue.commands
    return _arguments(entries.get(name_of(given[1])), given[2:], current)


def _heads(current: Word, catalogue: Catalogue) -> Iterator[Candidate]:
    yield from _names(current, catalogue, "commands")
    for name in matching(catalogue.verbs, current.text):
        yield Candidate(name, *current.span, label=name, note=catalogue.verbs[name].help)


def _verb_arguments(verb: VerbInfo, current: Word, catalogue: Catalogue) -> Iterator[Candidate]:
    yield from _names(current, catalogue, verb.takes)
    if verb.takes == "topics":
        for name in matching(catalogue.verbs, current.text):
            yield Candidate(name, *current.span, label=name, note=catalogue.verbs[name].help)


def _names(current: Word, catalogue: Catalogue, takes: str) -> Iterator[Candidate]:
    if is_quoted(current.text):
        return
    if takes in ("commands", "names", "topics"):
        for name in matching(catalogue.commands, current.text):
            entry = catalogue.commands[name]
            yield Candidate(write_name(name), *current.span, label=name, note=entry.doc or signature(entry))
    if takes in ("events", "names", "topics"):
        for name in matching(catalogue.events, current.text):
            listener = catalogue.events[name]
            note = f"event {signature(listener)}" if listener else "event, nobody listens"
            yield Candidate(write_name(name), *current.span, label=name, note=note)


def _arguments(entry: Entry | None, given: list[Word], current: Word) -> Iterator[Candidate]:
    if entry is None or (given and given[-1].text == NO_WAIT):
        return
    by_name = {parameter.name: parameter for parameter in entry.parameters}
    if current.key:
        yield from _values(by_name.get(current.key), current.text[len(current.key) + 1 :], current.value)
        return
    taken = {word.key for word in given if word.key}
    in_order = [parameter for parameter in entry.parameters if parameter.kind in _POSITIONAL]
    used = sum(1 for word in given if not word.key)
    yield from _values(next(iter(in_order[used:]), None), current.text, current.span)
    taken.update(parameter.name for parameter in in_order[:used])
    for parameter in entry.parameters:
        fits = parameter.name.casefold().startswith(current.text.casefold())
        if fits and parameter.name not in taken and parameter.kind in ("positional_or_keyword", "keyword_only"):
            yield Candidate(f"{parameter.name}=", *current.span, label=f"{parameter.name}=", note=_note(parameter))


def _values(parameter: Parameter | None, typed: str, span: Span) -> Iterator[Candidate]:
    if parameter is None:
        return
    for choice in choices(parameter):
        if choice.casefold().startswith(typed.casefold()):
            yield Candidate(choice, *span, label=choice, note=parameter.name)


def _note(parameter: Parameter) -> str:
    kind = parameter.annotation or "any"
    return f"{kind}, required" if parameter.required else f"{kind} = {parameter.default}"
