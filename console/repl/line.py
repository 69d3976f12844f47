"""The line that is typed: what could be written next, its colours, and whether Enter ends it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.formatted_text.utils import split_lines
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import Lexer

from bus.trace.redact import escape
from console import commands
from console.language.highlighting import Meaning, pieces
from console.language.tokens import is_open
from console.repl.current import Current

STYLES: Final[Mapping[Meaning, str]] = {
    "verb": "bold", "command": "fg:ansicyan", "event": "fg:ansimagenta", "unknown": "fg:ansired",
    "key": "fg:ansibrightblack", "text": "fg:ansigreen", "number": "fg:ansiblue", "constant": "fg:ansiblue bold",
    "structure": "fg:ansigreen", "sign": "bold", "problem": "fg:ansired underline", "word": "",
}  # fmt: skip
_UNFINISHED: Final = ("unknown", "problem")
"""What is no mistake yet while it is being typed."""


class LineCompleter(Completer):
    """What the language offers, as prompt_toolkit wants it."""

    def __init__(self, current: Current) -> None:
        self._current = current

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002
        """The candidates at the cursor."""
        for candidate in commands.candidates(self._current.session, document.text, document.cursor_position):
            yield Completion(
                candidate.text,
                start_position=candidate.start - document.cursor_position,
                display=escape(candidate.label),
                display_meta=escape(candidate.note),
            )


class LineLexer(Lexer):
    """The colours of a line, from the grammar's own words."""

    def __init__(self, current: Current) -> None:
        self._current = current

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """See `Lexer`."""
        lines = list(split_lines(self._fragments(document.text)))

        def line(number: int) -> StyleAndTextTuples:
            return lines[number] if number < len(lines) else []

        return line

    def _fragments(self, text: str) -> StyleAndTextTuples:
        fragments: StyleAndTextTuples = []
        at = 0
        for (start, end), meaning in pieces(text, commands.catalogue(self._current.session)):
            fragments.append(("", text[at:start]))
            quiet = end == len(text) and meaning in _UNFINISHED
            fragments.append(("" if quiet else STYLES[meaning], text[start:end]))
            at = end
        fragments.append(("", text[at:]))
        return fragments


def keys() -> KeyBindings:
    """Enter ends the line, unless a bracket is still open: then it goes on below."""
    bindings = KeyBindings()

    @bindings.add("enter")
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_open(buffer.text) and not buffer.document.text_after_cursor.strip():
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    return bindings
