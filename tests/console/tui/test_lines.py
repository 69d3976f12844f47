"""Lines under construction: width, clipping, escaping."""

from itertools import chain, repeat

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from console.tui.lines import Line, brief, clip, clip_left, flowing, wrapped
from console.tui.look import SOFT, TEXT

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


def test_wrapping_breaks_names_at_what_parts_them() -> None:
    """A long name of a command or a path is broken after a dot, a slash, a dash or an underscore."""
    assert list(wrapped("shop.orders.of_all_customers", 16)) == ["shop.orders.of_", "all_customers"]
    assert list(wrapped("shop.xxxxxxxxxxxxxxx", 16)) == ["shop.xxxxxxxxxxx", "xxxx"]


@given(st.lists(st.text("ab c.é日", max_size=40), max_size=6), st.integers(14, 60), st.integers(0, 6))
def test_what_flows_loses_nothing_and_fits(texts: list[str], width: int, indent: int) -> None:
    """Each line is as wide as asked and has its rail; together they say all that is no blank."""
    strips = list(flowing(width, repeat(("│ ", SOFT)), indent, [(text, TEXT) for text in texts]))
    assert {strip.cell_length for strip in strips} == {width}
    assert all(strip.text.startswith("│ ") for strip in strips)
    said = "".join(strip.text[2:] for strip in strips)
    assert said.replace(" ", "") == "".join(texts).replace(" ", "")


def test_what_flows_breaks_between_pieces() -> None:
    """A piece that fits into a line is whole; the first line has its own rail."""
    rails = chain([("┌ ", SOFT)], repeat(("│ ", SOFT)))
    strips = flowing(16, rails, 2, [("thread-0", TEXT), ("  runs ", SOFT), ("shop.sell", TEXT)])
    assert [strip.text.rstrip() for strip in strips] == ["┌ thread-0", "│   runs", "│   shop.sell"]
