"""The sequence diagrams of a call tree, in Mermaid and in plain text."""

import re
from pathlib import Path

import pytest

from bus.trace.records import Session
from console.export import ExportError, Selection, export, sequence
from console.language.filter_parser import parse
from tests.console.export.sessions import CALLS, call, exported, recorded, session, two_processes

TREE = """\
#1 index.file, 899 µs, 6 calls

        MainThread    indexer       store
  0 ns  │────────────▶│             │             index.file(path='ä €')
9.0 µs  │             │────────────▶│             store.put(<b>x</b>)
 59 µs  │             │◀┄┄┄┄┄┄┄┄┄┄┄┄│             ok, 49 µs
 69 µs  │             ◆             │             fires file.found()
 69 µs  │             ◆             │             file.found()
 69 µs  │             ◆             │             file.found()
 69 µs  │             │────────────▶│             file.found()
899 µs  │◀┄┄┄┄┄┄┄┄┄┄┄┄│             │             ok, 898 µs
"""
MERMAID = """\
sequenceDiagram
    %% #35;1 index.file, 899 µs, 6 calls
    participant p0 as MainThread
    participant p1 as indexer
    participant p2 as store
    p0->>p1: index.file(path='ä #8364;')
    activate p1
    p1->>p2: store.put(#60;b#62;x#60;/b#62;)
    activate p2
    p2-->>p1: ok, 49 µs
    deactivate p2
    p1->>p1: fires file.found()
    p1-)p1: file.found()
    p1-)p1: file.found()
    p1-)p2: file.found()
    activate p1
    activate p2
    deactivate p1
    activate p1
    deactivate p1
    p1-->>p0: ok, 898 µs
    deactivate p1
    deactivate p2
"""


def diagram(folder: Path, name: str, selection: Selection) -> str:
    return exported(folder, session(*CALLS), name, selection).read_text(encoding="utf-8")


def test_text(tmp_path: Path) -> None:
    """A call tree with its messages, answers and times; only what the call caused is in it."""
    assert diagram(tmp_path, "out.txt", Selection(call=1)) == TREE


def test_mermaid(tmp_path: Path) -> None:
    """The same, with the time that each took part; what Mermaid or HTML would read is an entity."""
    assert diagram(tmp_path, "out.mmd", Selection(call=1)) == MERMAID


@pytest.mark.parametrize(("number", "said"), [(7, "✗ ValueError after 500 µs: bad <b>bold"), (9, "cancelled, 200 µs")])
def test_a_call_that_went_wrong(tmp_path: Path, number: int, said: str) -> None:
    """The answer says what happened; a failure is marked."""
    assert said in diagram(tmp_path, "out.txt", Selection(call=number))


@pytest.mark.parametrize("number", [13, 14])
def test_a_call_without_an_end_has_no_answer(tmp_path: Path, number: int) -> None:
    """One that runs or is queued to this day is a message only, and its bar is open."""
    text = diagram(tmp_path, "out.mmd", Selection(call=number))
    assert "-->>" not in text
    assert "deactivate" not in text
    assert ("activate" in text) == (number == 13)


def test_without_a_number_it_is_the_longest_that_was_selected(tmp_path: Path) -> None:
    """A filter chooses the call, and its effects are shown whatever they are called."""
    assert diagram(tmp_path, "out.txt", Selection(parse("parent.short"))).startswith(
        "#11 parent.short, 206 ns, 2 calls"
    )
    assert "child.outlives" in diagram(tmp_path, "out.txt", Selection(parse("parent.short")))
    assert diagram(tmp_path, "out.txt", Selection(parse("file.found"))).startswith("#6 file.found")


def test_lines_for_a_place_of_some_width() -> None:
    """Where there is room it is the exported text; where there is little, names are cut; else there is nothing."""
    first = Session(session="s", pid=1, program="fixture", python="", start_monotonic=0, start_unix=0)
    wide = sequence.lines(first, session(*CALLS), 1, 120)
    assert wide == TREE.splitlines()[2:]
    narrow = sequence.lines(first, session(*CALLS), 1, 58)
    assert narrow[0].split() == ["MainTh…", "indexer", "store"]
    assert len(narrow) == len(wide)
    assert all(long.endswith(line.rsplit("│", 1)[1].strip()) for long, line in zip(wide[1:], narrow[1:], strict=True))
    assert sequence.lines(first, session(*CALLS), 1, 40) == []


def test_only_part_of_a_tree(tmp_path: Path) -> None:
    """A call in the middle of a tree is shown with what it caused, not with what caused it."""
    assert diagram(tmp_path, "out.txt", Selection(call=3)).startswith("#3 file.found, 0 ns, 4 calls")


def test_a_large_tree_is_cut(tmp_path: Path) -> None:
    """After 200 calls the rest is counted."""
    many = [call(n, "deep.call", n, n + 1, n + 2, lane=2, caller=2, parent=n - 1, root=1) for n in range(1, 301)]
    text = exported(tmp_path, session(*many), "out.txt", Selection(call=1)).read_text()
    assert text.startswith("#1 deep.call, 2 ns, 200 calls, 100 more calls left out")


@pytest.mark.parametrize(
    "name", ["x; end", "a\nb: c", "--x", "%%{init}%%", "#35;", "<script>", '"', "p0->>p1", "\x1b[2J"]
)
def test_hostile_names_mean_nothing_to_mermaid(tmp_path: Path, name: str) -> None:
    """Whatever a name holds, each line stays a message of the diagram with harmless text."""
    hostile = call(1, name, 1, 2, 3, lane=2, args=name)
    text = exported(tmp_path, session(hostile), "out.mmd").read_text(encoding="utf-8")
    line = re.compile(
        r"sequenceDiagram|    (%% .*|participant p\d as \w+|(de)?activate p\d|p\d(->>|-->>|--x|-\))p\d: (?P<text>.*))"
    )
    for said in text.splitlines():
        found = line.fullmatch(said)
        assert found, said
        assert not re.search(r"[;<>%\"\\]|->", re.sub(r"#\d+;", "", found["text"] or ""))


def test_what_cannot_be_shown(tmp_path: Path) -> None:
    """An unknown call, and more than one session, are refused with the reason."""
    with pytest.raises(ExportError, match="there is no call #99"):
        diagram(tmp_path, "out.txt", Selection(call=99))
    with pytest.raises(ExportError, match="one session"):
        two_processes(tmp_path, "out.mmd")
    with pytest.raises(ExportError, match="no call was selected"):
        export(recorded(tmp_path, session(*CALLS)), tmp_path / "out.mmd", Selection(parse("nothing")))
