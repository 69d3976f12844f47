"""Lines under construction: width, clipping, escaping."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from console.tui.lines import Line, brief, clip, clip_left, wrapped

ANY = st.text(max_size=60)


@given(st.lists(ANY, max_size=4), st.integers(1, 80))
def test_a_line_is_as_wide_as_asked_and_printable(texts: list[str], width: int) -> None:
    """Whatever is put into it, a strip has its width and nothing a terminal would act on."""
    line = Line(width)
    for text in texts:
        line.put(text).gap().cell(text, 7, right=True)
    strip = line.strip()
    assert strip.cell_length == width
    assert sum(cell_len(segment.text) for segment in strip) == width
    assert strip.text.isprintable()


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=60), st.integers(0, 40))
def test_clipping_fits(text: str, width: int) -> None:
    """Clipped text takes no more cells than there are."""
    assert cell_len(clip(text, width)) <= width
    assert cell_len(clip_left(text, width)) <= width


def test_clipping_marks_what_is_missing() -> None:
    """An ellipsis stands for the part that is left out."""
    assert clip("abcdef", 4) == "abc…"
    assert clip_left("/usr/lib/ast.py", 8) == "…/ast.py"
    assert brief("path='/usr/lib/ast.py', limit=5", 14) == "…ib/ast.py', …"
    assert brief("'regular expression', limit=5", 14) == "'regular expr…"


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=200), st.integers(2, 40))
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    """Wrapped text without spaces is the text again, in lines that fit."""
    lines = list(wrapped(text, width))
    assert "".join(lines) == text
    assert all(cell_len(line) <= width for line in lines)


def test_wrapping_breaks_at_spaces_and_keeps_line_ends() -> None:
    """Words stay whole, indentation of a traceback stays, control characters become visible."""
    assert list(wrapped("one two three", 8)) == ["one two", "three"]
    assert list(wrapped("a\n    b\x1b", 20)) == ["a", "    b\\x1b"]
