"""Which rows a list shows, in which order, against sorting all of them at once."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from console.model.slices import whole
from console.tui.listed import Listed, Wish
from console.tui.namespaces import MANY, Namespaces, namespace
from console.tui.order import Sort


class Row(Struct, frozen=True):
    """A name and a figure."""

    name: str
    size: int = 0


def total(key: str, rows: tuple[Row, ...]) -> Row:
    return Row(key, sum(row.size for row in rows))


def listed() -> tuple[Listed[Row], Namespaces[Row]]:
    namespaces: Namespaces[Row] = Namespaces(total)  # type: ignore[arg-type]  # a tuple is a sequence
    return Listed(lambda row: row.name, namespaces), namespaces


BY_SIZE: Sort[Row] = Sort("size", lambda row: row.size)
BY_NAME: Sort[Row] = Sort("name", lambda row: row.name, downwards=False)
ROWS = st.dictionaries(st.from_regex(r"[ab](\.[a-z]{1,2})?", fullmatch=True), st.integers(0, 3), max_size=40)
CROWD = {f"crowd.n{number}": number % 7 for number in range(MANY)}


@given(ROWS, st.sampled_from([BY_SIZE, BY_NAME]), st.booleans(), st.sampled_from([None, 1, 2]))
def test_few_rows_are_sorted_and_filtered(
    sizes: dict[str, int], sort: Sort[Row], turned: bool, least: int | None
) -> None:  # fmt: skip
    """By the figure, rows that are equal by their names; the other way round; only those that fit."""
    rows = [Row(name, size) for name, size in sizes.items()]
    fits = None if least is None else lambda row: row.size >= least
    found = whole(listed()[0].listing(rows, Wish(sort, turned, fits, str(least))))
    expected = sorted((row for row in rows if fits is None or fits(row)), key=lambda row: row.name)
    expected.sort(key=sort.key, reverse=sort.downwards != turned)
    assert found == expected


def ranked(rows: list[Row]) -> list[Row]:
    """The largest first, equal ones by their names."""
    return sorted(rows, key=lambda row: (-row.size, row.name))


@given(ROWS, st.booleans())
def test_many_rows_are_folded_and_those_of_an_open_namespace_follow_it(sizes: dict[str, int], opened: bool) -> None:
    """Sums on top; what is in it in the same order; nothing is lost and nothing is there twice."""
    rows = [Row(name, size) for name, size in {**sizes, **CROWD, "alone": 9}.items()]
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(namespace(row.name) or row.name, []).append(row)
    tops = [total(key, tuple(some)) if len(some) > 1 else some[0] for key, some in groups.items()]
    expected: list[Row] = []
    for top in ranked(tops):
        expected += [top, *(ranked(groups["crowd.*"]) if opened and top.name == "crowd.*" else [])]
    listing, namespaces = listed()
    whole(listing.listing(rows, Wish(BY_SIZE)))
    namespaces.set("crowd.*", opened=opened)
    assert whole(listing.listing(rows, Wish(BY_SIZE))) == expected


def test_a_filter_finds_what_is_in_a_closed_namespace() -> None:
    """And the namespaces are there again without it."""
    rows = [Row(name, size) for name, size in {**CROWD, "alone": 9}.items()]
    listing, _ = listed()
    six = whole(listing.listing(rows, Wish(BY_SIZE, fits=lambda row: row.size == 6, used="6")))
    assert {row.name for row in six} == {name for name, size in CROWD.items() if size == 6}
    assert [row.name for row in whole(listing.listing(rows, Wish(BY_NAME)))] == ["alone", "crowd.*"]


def test_ten_thousand_rows_take_many_slices() -> None:
    """For each of what is done row by row: whether it fits, which namespace it is in, what it is sorted by."""
    rows = [Row(f"s{number % 100}.n{number}", number) for number in range(10_000)]
    listing, _ = listed()
    assert len(list(listing.listing(rows, Wish(BY_SIZE)))) >= 50
    assert len(list(listing.listing(rows, Wish(BY_SIZE, fits=lambda _: True, used="x")))) >= 40
