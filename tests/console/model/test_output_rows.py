"""The lines that a view shows."""

from hypothesis import given
from hypothesis import strategies as st

from bus.trace.records import Output
from console.language.filter_fields import OUTPUT
from console.language.filter_parser import parse
from console.model.output_rows import OutputRows
from console.model.outputs import Outputs

LANES = {1: "indexer-0", 2: "store-0"}


def said(number: int, **fields: object) -> Output:
    return Output(**{"at": number, "stream": "stdout", "text": f"line {number}", **fields})  # type: ignore[arg-type]


def rows(outputs: Outputs, text: str = "") -> OutputRows:
    made = OutputRows(outputs, lambda key: LANES.get(key, ""))
    made.choose(parse(text, OUTPUT))
    made.update()
    return made


def shown(made: OutputRows) -> list[tuple[int, str]]:
    return [(number, line.text) for number, line in map(made.line, range(len(made)))]


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(1, 25), st.sampled_from(["", "3", "not 3"]))
def test_what_is_shown_is_what_is_kept_and_asked_for(portions: list[int], most: int, text: str) -> None:
    """However the lines come in, and however many are let go in between."""
    outputs = Outputs(most)
    made = rows(outputs, text)
    every: list[str] = []
    for portion in portions:
        for _ in range(portion):
            every.append(f"line {len(every) + 1}")
            outputs.add(said(len(every)))
        assert made.update() == (portion > 0)
        kept = list(enumerate(every, 1))[-most:]
        wanted = [(n, line) for n, line in kept if text == "" or (("3" in line) == (text == "3"))]
        assert shown(made) == wanted
        assert made.let_go == max(0, len(every) - most)
        for number in range(1, len(every) + 2):
            later = [at for at, (n, _) in enumerate(wanted) if n >= number]
            assert made.position(number) == (later[0] if later else -1)


def test_what_is_shown_stays_until_it_is_asked_for_more() -> None:
    """A frozen view can be read to its end, though its lines are let go meanwhile."""
    outputs = Outputs(3)
    for number in (1, 2, 3):
        outputs.add(said(number))
    made = rows(outputs)
    for number in range(4, 100):
        outputs.add(said(number))
    assert [number for number, _ in shown(made)] == [1, 2, 3]
    assert made.let_go == 0
    made.update()
    assert [number for number, _ in shown(made)] == [97, 98, 99]
    assert made.let_go == 96


def test_a_filter_asks_for_text_stream_level_lane_and_call() -> None:
    """A word is looked for in the text and in the thread's name, of any case."""
    outputs = Outputs(10)
    outputs.add(said(1, text="Hello", lane=1, call=7))
    outputs.add(said(2, stream="stderr", text="oh no"))
    outputs.add(said(3, stream="log", level="ERROR", text="shop: hello again", lane=2))
    expected = {
        "hello": [1, 3], "indexer": [1], "stream:stderr": [2], "level:err": [3], "lane:store-0": [3], "call:7": [1],
        '"hello again"': [3], "not stream:log": [1, 2], "stream:log level:warning": [], "hello stream:stdout": [1],
    }  # fmt: skip
    for text, numbers in expected.items():
        assert [number for number, _ in shown(rows(outputs, text))] == numbers, text


def test_another_filter_looks_at_all_that_is_kept_again() -> None:
    """And nothing is shown until it did."""
    outputs = Outputs(10)
    for number in (1, 2, 3):
        outputs.add(said(number))
    made = rows(outputs, "2")
    assert [number for number, _ in shown(made)] == [2]
    made.choose(parse("", OUTPUT))
    assert len(made) == 0
    assert made.update()
    assert len(made) == 3
