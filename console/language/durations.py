"""A length of time as a person writes it."""

import re
from typing import Final

_NS: Final = {
    "ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "": 1_000_000_000, "min": 60_000_000_000,
}  # fmt: skip
_WRITTEN: Final = re.compile(r"(\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})\s?(ns|us|µs|ms|s|min|)", re.ASCII)
_UNITS: Final = (("s", 9), ("ms", 6), ("us", 3), ("ns", 0))
"""Units to write in, and the digits behind the point that make a ns."""


def read(text: str) -> int:
    """`250ms`, `1.5s`, `2min` or plain seconds in ns.

    Raises:
        ValueError: it is something else; the message says what to write.
    """
    found = _WRITTEN.fullmatch(text.strip().replace("μ", "µ"))
    if not found:
        raise ValueError(f"{text!r} is no length of time: write 250ms, 1.5s or 2min")
    whole, _, part = found[1].partition(".")
    scale = 10 ** len(part)  # in whole numbers: a float would lose ns of what is long
    ns: int = (int(whole + part) * _NS[found[2]] * 2 + scale) // (2 * scale)
    return ns


def write(ns: int) -> str:
    """The shortest text that `read` turns into NS, below 10**21, again: `1.5ms`, `2min`."""
    if ns and ns % _NS["min"] == 0:
        return f"{ns // _NS['min']}min"
    unit, digits = next((each for each in _UNITS if ns >= _NS[each[0]]), _UNITS[-1])
    whole, rest = divmod(ns, _NS[unit])
    return f"{whole}.{rest:0{digits}}".rstrip("0").rstrip(".") + unit if rest else f"{whole}{unit}"
