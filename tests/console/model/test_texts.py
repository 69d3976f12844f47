"""Strings outside of Python's objects come back as they were."""

from hypothesis import given
from hypothesis import strategies as st

from console.model.columns import Ints
from console.model.texts import BETWEEN, Names, TextHeap, packed_texts


def put(heap: TextHeap, *pairs: tuple[str, str]) -> Ints:
    """Keep pairs of strings; their references."""
    return heap.add(*packed_texts([f"{first}{BETWEEN}{second}" for first, second in pairs]))


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.lists(st.tuples(texts, texts))))
def test_a_pair_comes_back_as_it_was(batches: list[list[tuple[str, str]]]) -> None:
    """Whatever was put in by whichever batch, its reference gives it back."""
    heap = TextHeap()
    kept = [(reference, pair) for batch in batches for reference, pair in zip(put(heap, *batch), batch, strict=True)]
    assert [heap.get(reference) for reference, _ in kept] == [pair for _, pair in kept]


def test_a_forged_separator_moves_text_but_breaks_nothing() -> None:
    """A NUL, which captured text never has, ends the first string; the next pair is whole."""
    heap = TextHeap()
    references = put(heap, ("a\0b", "c"), ("d", "e"))
    assert [heap.get(reference) for reference in references] == [("a", "b\0c"), ("d", "e")]


def test_a_lone_surrogate_is_kept_as_a_question_mark() -> None:
    """It has no UTF-8; the rest of the text stays."""
    heap = TextHeap()
    assert heap.get(put(heap, ("a\ud800b", ""))[0]) == ("a?b", "")


def test_released_segments_are_let_go() -> None:
    """Texts before the oldest reference in use are empty from then on; the later ones stay."""
    heap = TextHeap()
    references = [put(heap, (f"{number}" * 1000, ""))[0] for number in range(3000)]
    size = heap.size
    heap.release(references[2000])
    assert heap.get(references[0]) == ("", "")
    assert heap.get(references[2000]) == ("2000" * 1000, "")
    assert heap.size < size * 0.5


def test_a_name_has_one_number() -> None:
    """The same string has the same number, an unknown one has none."""
    names = Names()
    number = names.number("index.file")
    assert (names.number("index.file"), names[number], names.find("x"), names.find("")) == (number, "index.file", -1, 0)
