"""What could stand at the cursor: names, parameters with their types and defaults, values, and what verbs take."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct, field

from bus.trace.records import Entry, Parameter
from console.language.candidates import LIMIT, Candidate, matching
from console.language.filter_completion import complete_filter
from console.language.grammar import EXECUTE, FIRE, NO_WAIT, name_of, parse, write_name
from console.language.past import Past
from console.language.tokens import LanguageError, Span, Word, is_quoted, words
from console.language.value_completion import Lister, values

_POSITIONAL = ("positional_only", "positional_or_keyword")


class VerbInfo(Struct, frozen=True):
    """A command of the console: how it is written, what it does, and what its arguments are.

    `takes`: what could stand at the place of each argument, in order: "commands", "events", "names" (both), "topics"
    (names and verbs), "lanes", "calls" (their numbers), "files", "settings" and "values" (of one), "-" for nothing
    that could be offered; "calls|lanes" is both.
    `filter_at`: the place of the argument, the last, that is a filter: the rest of the line, as it stands there.
    """

    name: str
    usage: str
    help: str
    takes: str = ""
    filter_at: int | None = None


class Catalogue(Struct, frozen=True):
    """All that can be named. An event's entry is that of its first listener, None where nobody listens.

    `services` and `lanes`: by name, what calls run on. `settings`: what `set` sets, and the values that each can have.
    `calls`: numbers of calls, the likeliest first, and what each is. `past`: what was written before.
    `files` lists the paths that begin with what is typed, for the console's own commands; `their_files`: as the program
    sees them.
    """

    commands: Mapping[str, Entry] = field(default_factory=dict)
    events: Mapping[str, Entry | None] = field(default_factory=dict)
    verbs: Mapping[str, VerbInfo] = field(default_factory=dict)
    services: Sequence[str] = ()
    lanes: Sequence[str] = ()
    settings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    calls: Callable[[], Sequence[tuple[int, str]]] = tuple
    past: Past = field(default_factory=Past)
    files: Lister | None = None
    their_files: Lister | None = None

    @property
    def own_verbs(self) -> tuple[str, ...]:
        """The verbs that are commands of the console itself, which win over the program's of the same name."""
        return tuple(name for name in self.verbs if name not in (EXECUTE, FIRE))


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
    if (current.problem and not is_quoted(_typed(current))) or not _goes_on(before, current, catalogue):
        return []
    try:
        return list(islice(_candidates(given, current, catalogue), LIMIT))
    except LanguageError:  # a name between quotes that is none
        return []


def _goes_on(before: str, current: Word, catalogue: Catalogue) -> bool:
    """Whether anything may stand where CURRENT does; if not, nothing that could be offered would help."""
    rests = {verb.name: verb.filter_at for verb in catalogue.verbs.values() if verb.filter_at is not None}
    try:
        parse(before[: current.value.start] + "x", [*catalogue.own_verbs], rests)
    except LanguageError:
        return False
    return True


def _typed(current: Word) -> str:
    return current.text[len(current.key) + 1 :] if current.key else current.text


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
        return _verb_argument(catalogue.verbs[head], given, current, catalogue)
    if head not in (EXECUTE, FIRE):
        return _arguments(catalogue.commands.get(name_of(given[0])), given[1:], current, catalogue)
    if len(given) == 1:
        return _names(current, catalogue, "events" if head == FIRE else "commands")
    entries: Mapping[str, Entry | None] = catalogue.events if head == FIRE else catalogue.commands
    return _arguments(entries.get(name_of(given[1])), given[2:], current, catalogue)


def _heads(current: Word, catalogue: Catalogue) -> Iterator[Candidate]:
    for candidate in _names(current, catalogue, "commands"):
        if candidate.text in catalogue.verbs:  # the console's own wins; this says which is meant
            yield Candidate(f"{EXECUTE} {candidate.text}", *current.span, candidate.label, candidate.note)
        else:
            yield candidate
    yield from _verbs(current, catalogue)


def _verbs(current: Word, catalogue: Catalogue) -> Iterator[Candidate]:
    for name in matching(catalogue.verbs, current.text):
        yield Candidate(name, *current.span, label=name, note=catalogue.verbs[name].help)


def _verb_argument(verb: VerbInfo, given: list[Word], current: Word, catalogue: Catalogue) -> Iterator[Candidate]:
    places, place, before = verb.takes.split(), len(given) - 1, given[-1]
    if is_quoted(current.text):
        return
    for takes in places[place].split("|") if place < len(places) else ():
        yield from _names(current, catalogue, takes)
        for text, note in _things(takes, current.text, before.text, catalogue):
            yield Candidate(write_name(text), *current.span, label=text, note=note)


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
    if takes == "topics":
        yield from _verbs(current, catalogue)


def _things(takes: str, typed: str, setting: str, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """What is neither a name nor a verb, with a note; SETTING: the word before."""
    if takes == "calls":
        digits = typed.removeprefix("#")
        yield from ((str(call), note) for call, note in catalogue.calls() if str(call).startswith(digits))
    elif takes == "lanes":
        yield from ((name, "thread") for name in matching(catalogue.lanes, typed))
    elif takes == "files" and catalogue.files is not None:
        yield from ((path, "") for path in catalogue.files(typed))
    elif takes == "settings":
        for name in matching(catalogue.settings, typed):
            yield name, " ".join(catalogue.settings[name])
    elif takes == "values":
        yield from ((value, setting) for value in catalogue.settings.get(setting, ()) if value.startswith(typed))


def _arguments(
    entry: Entry | None, given: list[Word], current: Word, catalogue: Catalogue
) -> Iterator[Candidate]:  # fmt: skip
    if entry is None or (given and given[-1].text == NO_WAIT):
        return
    if current.key:
        by_name = {parameter.name: parameter for parameter in entry.parameters}
        yield from _values(entry, by_name.get(current.key), current, catalogue)
        return
    taken = {word.key for word in given if word.key}
    in_order = [parameter for parameter in entry.parameters if parameter.kind in _POSITIONAL]
    used = sum(1 for word in given if not word.key)
    several = (parameter for parameter in entry.parameters if parameter.kind == "var_positional")
    due = in_order[used] if used < len(in_order) else next(several, None)
    if due is not None and due.name not in taken:
        yield from _values(entry, due, current, catalogue)
    taken.update(parameter.name for parameter in in_order[:used])
    for parameter in entry.parameters:
        fits = parameter.name.casefold().startswith(current.text.casefold())
        if fits and parameter.name not in taken and parameter.kind in ("positional_or_keyword", "keyword_only"):
            yield Candidate(f"{parameter.name}=", *current.span, label=f"{parameter.name}=", note=_note(parameter))


def _values(
    entry: Entry, parameter: Parameter | None, current: Word, catalogue: Catalogue
) -> Iterator[Candidate]:  # fmt: skip
    if parameter is None:
        return
    past = catalogue.past.values(entry.name, parameter.name, _place(entry, parameter))
    for text, note in values(parameter, _typed(current), past, catalogue.their_files):
        yield Candidate(text, *current.value, label=text, note=note)


def _place(entry: Entry, parameter: Parameter) -> int:
    """How many values without a name come before; -1: it takes none."""
    in_order = [each for each in entry.parameters if each.kind in _POSITIONAL]
    return in_order.index(parameter) if parameter in in_order else -1


def _note(parameter: Parameter) -> str:
    kind = parameter.annotation or "any"
    return f"{kind}, required" if parameter.required else f"{kind} = {parameter.default}"
