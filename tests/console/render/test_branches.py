"""A causal tree's lines as text."""

from msgspec import structs

from bus.trace.records import Call
from console.model.tree import CallTree, TreeLine
from console.render import branches

CALL = Call(id=7, root=7, kind="command", name="index.file", queued=1, args="path='a.py'")
TREE = CallTree(call=7, lines=(), total=12, above=0, complete=True, length=3_100_000)


def said(line: TreeLine) -> str:
    return "".join(text for text, _ in branches.pieces(line))


def test_a_line_hangs_on_its_cause() -> None:
    """Levels that go on below have a stroke; the last of its kind ends it."""
    assert [branches.branch(levels) for levels in ((), (True,), (False,), (True, False), (False, True))] == [
        "", "├─ ", "└─ ", "│  └─ ", "   ├─ ",
    ]  # fmt: skip


def test_says_what_a_call_is() -> None:
    """Number, kind, name, which attempt it is, arguments."""
    assert said(TreeLine((), CALL)) == "#7 index.file  path='a.py'"
    assert said(TreeLine((False,), structs.replace(CALL, kind="delivery", args=""))) == "└─ #7 delivery of index.file"
    assert said(TreeLine((True,), CALL, attempt=3)) == "├─ #7 index.file  attempt 3  path='a.py'"


def test_says_what_is_folded() -> None:
    """How many, how many of them failed, how many below."""
    assert said(TreeLine((True,), folded=4_812)) == "├─ … 4,812 more"
    assert said(TreeLine((False,), folded=5, below=12, failed=3)) == "└─ … 5 more, 3 failed, with 12 below"


def test_the_title_says_what_is_missing() -> None:
    """Not only what there is."""
    assert branches.title(TREE) == "causal tree of #7 · 12 calls · ● what decided when it ended, 3.1 ms"
    less = CallTree(call=7, lines=(), total=1, above=4_000, complete=False, length=0)
    assert branches.title(less) == (
        "causal tree of #7 · 1 call · its beginning is not kept any more · 4,000 calls above and beside not shown"
    )
