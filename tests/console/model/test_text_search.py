"""Packed texts, searched all at once."""

import pytest

from console.language.filters import Match, Phrase
from console.model.text_search import Side, search
from console.model.texts import BETWEEN, TextHeap, packed_texts

PAIRS = (
    ("path='/A/b.py'", "42"), ("", "path"), ("straße", ""), ("text='ab'", "AB"), ("x" * 1_200_000, ""),
    ("last b", "ok"),
)  # fmt: skip


def heap_of(*pairs: tuple[str, str]) -> tuple[TextHeap, list[int]]:
    """A heap with these pairs, and the reference of each."""
    heap, references = TextHeap(), []
    for pair in pairs:
        references += heap.add(*packed_texts([BETWEEN.join(pair)])).tolist()
    return heap, references


@pytest.mark.parametrize(
    ("what", "side", "expected"),
    [
        (Phrase("PATH"), "both", [0, 1]),
        (Match("arg", "path"), "args", [0]),
        (Match("result", "path"), "result", [1]),
        (Phrase("ab"), "both", [3]),
        (Match("result", "ab"), "result", [3]),
        (Match("arg", "STRASSE"), "args", [2]),
        (Phrase("ß"), "both", [2]),
        (Match("arg", "*b*", "pattern"), "args", [0, 3, 5]),
        (Match("result", "AB", "is"), "result", [3]),
        (Match("result", "ab", "is"), "result", []),
        (Phrase("b"), "both", [0, 3, 5]),
        (Phrase("\0"), "both", []),
        (Phrase("zz"), "both", []),
    ],
)
def test_what_is_found(what: Phrase | Match, side: Side, expected: list[int]) -> None:
    """On the side that is asked for, in every segment, whatever the letters; in the order of the heap."""
    heap, references = heap_of(*PAIRS)
    assert len(list(heap.segments())) == 2
    assert [references.index(each) for each in search(heap, what, side).tolist()] == expected


def test_from_a_place_on() -> None:
    """What was searched already is not searched again."""
    heap, references = heap_of(*PAIRS)
    assert search(heap, Phrase("b"), "both", references[1]).tolist() == [references[3], references[5]]
    assert search(heap, Phrase("b"), "both", references[5]).tolist() == [references[5]]
    assert search(heap, Phrase("b"), "both", heap.end).tolist() == []


def test_an_empty_heap() -> None:
    """There is nothing to find."""
    assert search(TextHeap(), Phrase(""), "both").tolist() == []
