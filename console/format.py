"""Numbers as a person reads them: the only copy, used by every front end and without any UI library."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.model.split import CallParts

ABSENT = "–"
"""What stands where there is no number."""

_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))
_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_TEN = 10
_HUNDRED = 100


def duration(ns: int | None) -> str:
    """NS as two or three figures with a unit: `850 ns`, `3.1 ms`, `41 ms`, `1.24 s`, `2 min 05 s`."""
    if ns is None:
        return ABSENT
    if abs(ns) >= _MINUTE * 1_000_000_000:
        return age(ns / 1_000_000_000)
    size, unit = _unit(ns)
    return f"{_figure(ns, size)} {unit}"


def parts(times: "CallParts") -> str:
    """Where a call's time went, in the unit that `duration` gives their sum: `queued 0.1 · computing 2.4 · …`."""
    size, _ = _unit(total(times))
    return " · ".join(f"{name} {_figure(ns, size)}" for name, ns in times.named())


def main_parts(times: "CallParts") -> str:
    """As `parts`, but only those that are at least a hundredth of the whole and no 0: `queued 1.17`."""
    size, _ = _unit(total(times))
    figures = ((name, _figure(ns, size)) for name, ns in times.named() if ns * 100 >= total(times))
    return " · ".join(f"{name} {figure}" for name, figure in figures if figure != "0")


def total(times: "CallParts") -> int:
    """The whole time of a call in ns, from queued to ended."""
    return times.queued + times.computing + times.waiting + times.elsewhere


def millis(ns: int | None) -> str:
    """NS in milliseconds without the unit, for a column: `0.02`, `3.1`, `1,204`."""
    if ns is None:
        return ABSENT
    value = ns / 1_000_000
    if 0 < value < 0.01:  # noqa: PLR2004  two decimals would say 0.00
        return "<.01"
    if value < 0.1:  # noqa: PLR2004  the figure that matters is the second one
        return f"{value:.2f}" if ns else "0"
    return f"{value:.1f}" if value < _HUNDRED else f"{value:,.0f}"


def at_least(number: int, more: bool) -> str:  # noqa: FBT001  with the number it reads as one thing
    """NUMBER, `1,204+` if there are MORE."""
    return f"{count(number)}+" if more else count(number)


def rate(per_second: float) -> str:
    """A rate for a column: `0`, `0.3`, `412`, `1,204`."""
    if per_second < 0.05:  # noqa: PLR2004  one decimal would say 0.0
        return "0"
    return f"{per_second:.1f}" if per_second < _TEN else f"{per_second:,.0f}"


def count(number: int) -> str:
    """A number of things, with thousands marked: `50,112`."""
    return f"{number:,}"


def share(part: float) -> str:
    """PART of one (0.018) in percent: `1.8 %`."""
    percent = part * 100
    return f"{percent:.1f} %" if percent < _TEN else f"{percent:.0f} %"


def age(seconds: float) -> str:
    """How long something has been there: `12 s`, `2 min 05 s`, `3 h 12 min`, `4 d 2 h`."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def plural(number: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def columns(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """ROWS as lines with aligned columns; those in RIGHT are aligned at their right edge."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def some(names: Sequence[str], width: int = 48) -> str:
    """NAMES as one text; of more than fit into WIDTH characters how many there are, and the first ones."""
    text = ", ".join(names)
    if len(text) <= width:
        return text
    count = f"{len(names):,}: "
    kept = list(names[:1])
    for name in names[1:]:
        if len(count) + len(", ".join([*kept, name, "…"])) > width:
            break
        kept.append(name)
    return count + ", ".join([*kept, "…"] if len(kept) < len(names) else kept)


def _unit(ns: int) -> tuple[int, str]:
    return next((entry for entry in _UNITS if abs(ns) >= entry[0] * 0.9995), _UNITS[-1])  # 999,999 ns is 1.0 ms


def _figure(ns: int, size: int) -> str:
    value = ns / size
    decimals = 0 if size == 1 or value >= _HUNDRED else 1 if value >= _TEN else 2
    if size < _UNITS[0][0]:
        decimals = max(0, decimals - 1)
    text = f"{value:.{decimals}f}"
    return text if float(text) else "0"
