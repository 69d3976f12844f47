"""What could be written for one parameter."""

import pytest

from bus.trace.records import Definition, Parameter
from console.language.value_completion import choices, takes_path, values


def parameter(annotation, **more):
    return Parameter(name="x", kind="positional_or_keyword", annotation=annotation, **more)


def texts(annotation, typed, *past, files=None, **more):
    return [text for text, _ in values(parameter(annotation, **more), typed, past, files)]


def test_members_of_an_enum():
    """Their values are offered, as the program told them."""
    colour = Definition(name="Colour", choices=("red", "light blue"))
    assert texts("Colour", "", definitions=(colour,)) == ["red", '"light blue"']
    assert texts("Colour | None", "l", definitions=(colour,)) == ['"light blue"']


def test_what_was_written_before():
    """It comes after what the type names, each once, also when its quote is not typed."""
    assert texts("str", "", '"thread pool"', "x") == ['"thread pool"', "x"]
    assert texts("str", "thr", '"thread pool"', "x") == ['"thread pool"']
    assert texts("str", '"thr', '"thread pool"', "x") == ['"thread pool"']
    assert texts("bool", "t", "true", "t") == ["true", "t"]


def test_a_secret_is_never_offered():
    """Not even when it was written before."""
    assert texts("str", "", "hunter2", secret=True) == []


def test_files_for_paths():
    """Files are offered where a path is wanted, between quotes where they need them; nowhere else."""

    def files(typed):
        return [typed + "b.py", typed + " c/"]

    assert texts("Path", "a", files=files) == ["ab.py", '"a c/"']
    assert texts("pathlib.Path | None", "a", files=files) == ["ab.py", '"a c/"']
    assert texts("str", "a", files=files) == []
    assert texts("Path", '"a', files=files) == []


@pytest.mark.parametrize(("annotation", "wanted"), [("Path", True), ("Path | None", True), ("str", False), ("", False)])
def test_takes_path(annotation, wanted):
    """A path alone or among others."""
    assert takes_path(parameter(annotation)) is wanted


def test_choices_are_words_of_a_line():
    """What a type names is written as the language reads it."""
    assert choices(parameter("Literal['a b', 5, None]")) == ('"a b"', "5", "None")
