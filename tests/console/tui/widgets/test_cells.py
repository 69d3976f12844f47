"""What the cells of a lane say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from console.model.split import CallParts
from console.model.views import Bar, LaneHead, LaneView
from console.tui.look import SELECTED, SERVICES, ServiceColors, style
from console.tui.widgets import cells
from console.tui.widgets.call_lines import parts_bar, shares
from console.tui.widgets.cells import Look, Marks


def lane(
    *parts: tuple[float, float, float, float], failed: tuple[int, ...] = (), bars: tuple[Bar, ...] = ()
) -> LaneView:
    """A lane whose cells are queued, computing, waiting, elsewhere in these fractions."""
    table = np.array(parts, dtype=np.float32).T
    width = len(parts)
    return LaneView(
        head=LaneHead(1, "indexer-0", "indexer"), parts=table,
        count=(table.sum(axis=0) > 0).astype(np.int32), call=np.zeros(width, np.int64),
        failed=np.isin(np.arange(width), failed), bars=bars,
    )  # fmt: skip


def drawn(view: LaneView) -> str:
    return "".join(cells.rows([view])[0].glyphs)


IDLE, QUEUED, BUSY = (0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((IDLE, QUEUED, BUSY, (0, 0, 1, 0), (0, 0, 0, 1)), " ░█▒▓"),
        ((BUSY, (0, 0.5, 0, 0), IDLE), "█▌ "),
        ((IDLE, (0, 0.5, 0, 0), BUSY), " ▐█"),
        ((IDLE, (0, 0.001, 0, 0), IDLE), " ▏ "),
        (((0, 0.5, 0, 0), (0, 0.25, 0, 0)), "▄▂"),
        (((0, 0.6, 0.4, 0), (0, 0.4, 0.6, 0)), "█▒"),
    ],
)
def test_a_cell_says_what_its_time_was(parts: tuple[tuple[float, float, float, float], ...], expected: str) -> None:
    """Whole cells by their largest part, edges in eighths, several short calls as high as they are busy."""
    assert drawn(lane(*parts)) == expected


@given(arrays.arrays(np.float32, (4, 30), elements=st.floats(0, 1, width=32)), st.sets(st.integers(0, 29)))
def test_a_failure_is_never_hidden(parts: np.ndarray, failed: set[int]) -> None:
    """However dense the lane and whatever is labelled, a cell with a failure shows it; every cell is one cell wide."""
    bars = (Bar(0, 30, 1, "index.file", "path='a.py'"),)
    view = lane(*map(tuple, parts.T), failed=tuple(failed), bars=bars)
    row = cells.rows([view])[0]
    cells.put_labels(row, view.bars)
    segments = row.segments(SERVICES[0])
    text = "".join(segment.text for segment in segments)
    assert len(text) == 30
    assert {column for column, glyph in enumerate(text) if glyph == "✗"} == failed


def test_a_label_stands_in_a_wide_bar_only() -> None:
    """The name is clipped to its bar, and left out where hardly a letter would fit."""
    wide, narrow = Bar(1, 13, 1, "index.file", "path='a.py'"), Bar(14, 17, 2, "store.put", "")
    view = lane(IDLE, *[BUSY] * 12, IDLE, *[BUSY] * 3, IDLE, bars=(wide, narrow))
    row = cells.rows([view])[0]
    cells.put_labels(row, view.bars)
    assert "".join(row.glyphs) == " index.file…█ ███ "


def test_a_hostile_label_is_escaped() -> None:
    """ESC in a name is text in a label too."""
    view = lane(*[BUSY] * 30, bars=(Bar(0, 30, 1, "\x1b[2J", ""),))
    row = cells.rows([view])[0]
    cells.put_labels(row, view.bars)
    assert "\\x1b[2J" in "".join(row.glyphs)


def test_marks_lie_over_what_is_drawn() -> None:
    """The selected call is whitened, cause and effect are lettered, the cursor is on top."""
    row = cells.rows([lane(*[BUSY] * 6)])[0]
    cells.put_marks(row, Marks(selected=(-3, 4), cursor=2, glyphs=((5, "]"), (99, "["))))
    assert "".join(row.glyphs) == "██ ██]"
    assert row.looks.tolist() == [
        Look.COMPUTING + Look.WHITENED, Look.COMPUTING + Look.WHITENED, Look.CURSOR, Look.COMPUTING + Look.WHITENED,
        Look.COMPUTING, Look.MARK,
    ]  # fmt: skip


def test_the_name_of_the_selected_call_can_be_read() -> None:
    """What it caused within its own bar is marked beside the letters; in another lane a mark stands where it has to."""
    view = lane(*[BUSY] * 12, bars=(Bar(0, 9, 1, "store.put", ""),))
    for selected, expected in (((0, 12), "store.p…██]█"), ((0, 0), "s]ore.p…██]█")):
        row = cells.rows([view])[0]
        cells.put_labels(row, view.bars)
        cells.put_marks(row, Marks(selected=selected, glyphs=((1, "]"), (10, "]"))))
        assert "".join(row.glyphs) == expected


def test_the_marked_range_has_one_ground() -> None:
    """Whether a cell is free, partly busy or busy: a range without holes, and none beside it."""
    view = lane(IDLE, (0, 0.001, 0, 0), BUSY, QUEUED, (0, 0, 1, 0), (0, 0, 0, 1), IDLE, failed=(5,))
    row = cells.rows([view])[0]
    cells.put_marks(row, Marks(range=(0, 6)))
    grounds = [(segment.style.bgcolor, len(segment.text)) for segment in row.segments(SERVICES[0]) if segment.style]
    within = {ground for ground, _ in grounds[:-1]}
    assert within == {style(ground=SELECTED).bgcolor}
    assert grounds[-1] == (style().bgcolor, 1)


@given(st.lists(st.integers(0, 10**12), min_size=4, max_size=4), st.integers(4, 60))
def test_a_bar_is_filled_and_no_part_disappears(amounts: list[int], width: int) -> None:
    """The cells of a bar add up, and whatever took time has one at least."""
    divided = shares(tuple(amounts), width)
    assert sum(divided) == (width if sum(amounts) else 0)
    assert all((cell > 0) == (amount > 0) for cell, amount in zip(divided, amounts, strict=True))
    assert sum(len(segment.text) for segment in parts_bar(CallParts(*amounts), width, SERVICES[0])) == sum(divided)


def test_services_keep_their_colours_apart() -> None:
    """As many services as there are colours get one each, the same every time they are asked."""
    colors = ServiceColors()
    names = [f"service-{number}" for number in range(len(SERVICES))]
    given = [colors.color(name) for name in names]
    assert len(set(given)) == len(SERVICES)
    assert [colors.color(name) for name in names] == given


@pytest.mark.parametrize(
    ("parts", "column", "expected"),
    [
        ((IDLE,) * 9, 1, " ┤ ended "),
        ((IDLE,) * 9, -50, "┤ ended  "),
        ((IDLE,) * 9, 6, "      ┤ e"),
        ((IDLE, BUSY, BUSY, *(IDLE,) * 6), 2, " ██┤ ende"),
        ((BUSY,) * 4, 3, "████"),
    ],
)
def test_the_end_of_a_thread_is_written_from_there_on(parts: tuple, column: int, expected: str) -> None:
    """In what is free; what ended in that cell is not hidden, and what has no room is cut."""
    row = cells.rows([lane(*parts)])[0]
    cells.put_end(row, column)
    assert "".join(row.glyphs) == expected
    said = "".join(glyph for glyph, place in zip(row.glyphs, row.looks, strict=True) if place == cells.Look.ENDED)
    assert "┤ ended".startswith(said)
