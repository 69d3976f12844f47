"""How a filter is written, for the help of every front end."""

from textwrap import indent, wrap
from typing import Final

from console import format as fmt
from console.language.filter_fields import CALLS, Field, Fields

FORMS: Final = (
    ("index  file.*", "the name contains a word, or matches a pattern"),
    ('"thread pool"', "a text in name, arguments, result or error"),
    ("service:store  lane:*-0", "a field has a text, matches a pattern; = is exact"),
    ("outcome:failed", "one of the choices"),
    ("took>10ms  took:1ms..5ms", "times (ns us ms s min) and numbers: > >= < <= ="),
    ("a b  a or b  not a  ( )", "both, any, none of it; brackets"),
)
"""What can be written, and what it means."""


_WIDTH: Final = 60


def text(fields: Fields = CALLS) -> str:
    """Forms and fields, as lines that fit 80 columns."""
    forms = fmt.columns(FORMS)
    names = fmt.columns([row for field in fields for row in _rows(field)])
    return "\n".join(["filters:", indent(forms, "  "), "", "fields of filters:", indent(names, "  ")])


def _rows(field: Field) -> list[tuple[str, str]]:
    about = f"{field.help}: {' '.join(field.choices)}" if field.choices else field.help
    first, *more = wrap(about, _WIDTH, break_on_hyphens=False)
    return [(" ".join((field.name, *field.aliases)), first), *(("", line) for line in more)]
