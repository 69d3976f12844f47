"""The lines of a causal tree as pieces of text, each with its meaning: the same wherever a tree is drawn."""

from collections.abc import Iterator
from typing import Final, Literal

from console import format as fmt
from console.model.tree import CallTree, TreeLine

Meaning = Literal["branch", "number", "name", "news", "text", "quiet"]
Piece = tuple[str, Meaning]

ON_PATH: Final = "●"


def title(tree: CallTree) -> str:
    """What the tree is of, and what its mark means."""
    parts = [f"causal tree of #{tree.call}", fmt.plural(tree.total, "call")]
    if not tree.complete:
        parts.append("its beginning is not kept any more")
    if tree.above:
        parts.append(f"{fmt.plural(tree.above, 'call')} above and beside not shown")
    if tree.length:
        parts.append(f"{ON_PATH} what decided when it ended, {fmt.duration(tree.length)}")
    return " · ".join(parts)


def pieces(line: TreeLine) -> Iterator[Piece]:
    """A line from its branch on; a `name` and a `text` are the program's, and not escaped yet."""
    yield branch(line.branches), "branch"
    if line.call is None:
        yield f"… {folded(line)}", "quiet"
        return
    yield f"#{line.call.id} ", "number"
    yield _KINDS[line.call.kind], "quiet"
    yield line.call.name, "name"
    if line.attempt > 1:
        yield f"  attempt {line.attempt}", "news"
    if line.call.args:
        yield f"  {line.call.args}", "text"


_KINDS: Final = {"command": "", "event": "event ", "delivery": "delivery of "}


def branch(branches: tuple[bool, ...]) -> str:
    """`│  ├─ `: which levels go on below, and how this line hangs on its cause."""
    if not branches:
        return ""
    return "".join("│  " if more else "   " for more in branches[:-1]) + ("├─ " if branches[-1] else "└─ ")


def folded(line: TreeLine) -> str:
    """`4,812 more, 3 failed, with 12 below`."""
    failed = f", {line.failed:,} failed" if line.failed else ""
    below = f", with {line.below:,} below" if line.below else ""
    return f"{line.folded:,} more{failed}{below}"
