"""What could stand next on the command line: words of the parser, programs that run, and what these know."""

import argparse
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from console.commands.paths import paths
from console.target import TargetError

if TYPE_CHECKING:
    from console.session import Session

Offer = tuple[str, str]
"""A whole word, and what it is."""
_SECONDS: Final = 1.0
"""How long a program gets to tell its names: more would be felt."""
_TAKES: Final[Mapping[tuple[str, str], str]] = {
    ("run", "target"): "files", ("run", "args"): "files", ("record", "target"): "programs files",
    ("demo", "folder"): "files", ("call", "name"): "commands", ("fire", "name"): "events",
    ("call", "args"): "arguments", ("fire", "args"): "arguments",
}  # fmt: skip
"""What a positional takes, by its command and its name, where the name alone does not say it."""
_BY_NAME: Final[Mapping[str, str]] = {
    "target": "programs", "sessions": "files", "filter": "filter", "open": "files", "output": "files",
}  # fmt: skip
_WITH_RECORDINGS: Final = ("calls", "top", "services", "problems")


class _Given(Struct, frozen=True):
    """The words so far: the command, its positionals, and the option whose value is being written."""

    command: str
    positionals: tuple[str, ...]
    option: argparse.Action | None


def offers(parser: argparse.ArgumentParser, typed: Sequence[str]) -> list[Offer]:
    """What the last of TYPED, which follow the program's own name, could become. Never raises."""
    try:
        return list(_offers(parser, list(typed[:-1]), typed[-1] if typed else ""))
    except TargetError:
        return []  # no program, or none that answers: then there is nothing to offer


def split(line: str) -> tuple[list[str], str]:
    """The words of LINE as a shell cuts them, the last one as far as it is written, and the quote that is open."""
    lexer_line, quote = line, ""
    for closing in ("", "'", '"', "\\"):
        try:
            found = shlex.split(lexer_line + closing)
        except ValueError:
            continue
        quote = closing if closing in ("'", '"') else ""
        ended = line[-1:].isspace() and not quote
        return [*found, *([""] if ended or not found else [])], quote
    return [""], ""


def _offers(parser: argparse.ArgumentParser, before: list[str], word: str) -> Iterator[Offer]:
    commands = _subparsers(parser)
    if not before:
        abouts = {each.dest: each.help or "" for each in commands._choices_actions}  # noqa: SLF001  no other way
        yield from _matching([*abouts.items(), *_options(parser)], word)
        return
    found = commands.choices.get(before[0])
    if found is None:
        return
    given = _read(found, before)
    if given.option is not None:
        yield from _values(given, given.option, word)
        return
    action = _at([each for each in _actions(found) if not each.option_strings], len(given.positionals))
    if word.startswith("-") and (action is None or action.nargs != argparse.REMAINDER):
        yield from _matching(_options(found), word)
    elif action is not None:
        yield from _values(given, action, word)


def _read(parser: argparse.ArgumentParser, before: list[str]) -> _Given:
    options = {name: each for each in _actions(parser) for name in each.option_strings}
    positionals, option = [], None
    for word in before[1:]:
        if option is not None:
            option = None
        elif word in options:
            option = options[word] if options[word].nargs != 0 else None
        else:
            positionals.append(word)
    return _Given(before[0], tuple(positionals), option)


def _at(positionals: Sequence[argparse.Action], place: int) -> argparse.Action | None:
    """The positional at a place; the last one may take many words."""
    if place < len(positionals):
        return positionals[place]
    last = positionals[-1] if positionals else None
    return last if last is not None and last.nargs in ("*", "+", argparse.REMAINDER) else None


def _values(given: _Given, action: argparse.Action, word: str) -> Iterator[Offer]:
    if action.choices:
        yield from _matching([(str(each), "") for each in action.choices], word)
        return
    takes = _TAKES.get((given.command, action.dest), _BY_NAME.get(action.dest, ""))
    for kind in takes.split():
        yield from _things(kind, given, word)
    if action.dest == "target" and given.command in _WITH_RECORDINGS:
        yield from ((path, "") for path in paths(word) if path.endswith(("/", ".jsonl")))


def _things(kind: str, given: _Given, word: str) -> Iterator[Offer]:
    if kind == "files":
        yield from ((path, "") for path in paths(word))
    elif kind == "programs":
        yield from _programs(word)
    elif kind == "filter":
        yield from _of_program(given, "calls ", word)
    elif kind in ("commands", "events"):
        yield from _of_program(given, "execute " if kind == "commands" else "fire ", word)
    else:
        from console.cli.oneshot import as_word
        from console.language.grammar import EXECUTE, FIRE, write_name

        verb, name = EXECUTE if given.command == "call" else FIRE, write_name(given.positionals[1])
        line = " ".join([verb, name, *map(as_word, given.positionals[2:]), ""])
        yield from _of_program(given, line, word)


def _programs(word: str) -> Iterator[Offer]:
    from console.target.discover import programs

    found = programs()
    names = [each.name for each in found]
    for each in found:  # of several with one name the pid says which
        text = each.name if names.count(each.name) == 1 else str(each.pid)
        if text.startswith(word):
            yield text, f"{each.name} {each.pid}"


def _of_program(given: _Given, before: str, word: str) -> Iterator[Offer]:
    from console import commands

    session = _session(given.positionals[0])
    try:
        line = before + word
        for candidate in commands.candidates(session, line, len(line)):
            if candidate.start >= len(before):
                yield word[: candidate.start - len(before)] + _bare(candidate.text, before), candidate.note
    finally:
        session.close()


def _bare(text: str, before: str) -> str:
    """Without the quotes of the language, where the shell has its own; those of a filter stay."""
    if before == "calls " or text[:1] not in "\"'":
        return text
    from console.language.tokens import LanguageError, Span
    from console.language.values import read

    try:
        return str(read(text, Span(0, len(text))))
    except LanguageError:
        return text


def _session(spec: str) -> "Session":
    """One that knows the names; the whole snapshot is not waited for."""
    from console.cli.choosing import named
    from console.session import Session
    from console.waiting import until

    session = Session(named(spec))
    until(session, lambda: bool(session.names().commands) or session.complete, _SECONDS)
    return session


def _matching(offered: Sequence[Offer], word: str) -> Iterator[Offer]:
    return ((text, note) for text, note in offered if text.startswith(word))


def _options(parser: argparse.ArgumentParser) -> list[Offer]:
    return [(each.option_strings[-1], each.help or "") for each in _actions(parser) if each.option_strings]


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001  argparse tells its words in no other way


def _subparsers(parser: argparse.ArgumentParser) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    return next(each for each in _actions(parser) if isinstance(each, argparse._SubParsersAction))  # noqa: SLF001
