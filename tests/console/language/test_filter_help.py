"""What help says of filters."""

import pytest

from console.language import filter_help
from console.language.filter_fields import CALLS, COMMANDS
from console.language.filter_parser import parse


def test_every_form_can_be_written():
    """The examples of the help are filters themselves."""
    for form, _ in filter_help.FORMS:
        for example in form.split("  "):
            if example != "( )":
                parse(example)


@pytest.mark.parametrize("fields", [CALLS, COMMANDS])
def test_every_field_is_named(fields):
    """With its other names and its choices, in 80 columns."""
    said = filter_help.text(fields)
    for field in fields:
        assert all(word in said.split() for word in (field.name, *field.aliases, *field.choices))
    assert max(map(len, said.splitlines())) <= 80
