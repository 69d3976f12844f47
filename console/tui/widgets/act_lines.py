"""What came of executing or firing by hand, as lines: running, refused, the result, or the error with its traceback."""

from textual.strip import Strip

from console import format as fmt
from console.commands import Ended
from console.language.grammar import Fire
from console.render import results
from console.tui import rich_lines
from console.tui.invocation import Invocation
from console.tui.lines import Line, wrapped
from console.tui.look import AMBER, GOOD, KEY, RED, SOFT, STRONG, TEXT, WARN, style
from console.tui.widgets.call_lines import error_lines


def act_strips(width: int, act: Invocation) -> list[Strip]:
    """What came of ACT; while it runs, for how long."""
    if act.refused:
        return [Line(width).put(text, WARN).strip() for text in wrapped(act.refused, width)]
    ended = act.ended
    if ended is None:
        line = Line(width).put("running ", style(AMBER, bold=True)).put(fmt.duration(act.elapsed), STRONG)
        return [line.put("   Ctrl+C", KEY).put(" cancels", SOFT).strip()]
    return [_headline(width, ended), *_body(width, ended)]


def _headline(width: int, ended: Ended) -> Strip:
    """`#18877 ok 4.4 ms   queued 0.1 · computing 2.9 · waiting 1.4 · elsewhere 0`."""
    reply, detail = ended.reply, ended.detail
    line = Line(width)
    if reply.call:
        line.put(f"#{reply.call} ", KEY)
    failed = "error" if reply.error and reply.outcome == "ok" else reply.outcome
    line.put("ok" if ended.ok else f"✗ {failed}", GOOD if ended.ok else style(RED, bold=True))
    if detail and detail.call.kind == "command" and detail.call.outcome:
        line.put(f" {fmt.duration(fmt.total(detail.parts))}", STRONG).put(f"   {fmt.parts(detail.parts)}", SOFT)
    elif not reply.call:
        line.put("  it never reached the bus", SOFT)
    return line.strip()


def _body(width: int, ended: Ended) -> list[Strip]:
    if ended.reply.error:
        return error_lines(width, ended.reply.error)
    if isinstance(ended.request, Fire):
        return rich_lines.strips(results.receivers(ended.reply.receivers), width)
    rows = rich_lines.strips(results.value(ended.reply), max(1, width - 2))
    corner, space = Line(2).put("└ ", SOFT).strip(), Line(2).put("  ", TEXT).strip()
    return [Strip([*(space if number else corner), *row]) for number, row in enumerate(rows)]
