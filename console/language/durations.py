"""A length of time as a person writes it."""

import re
from typing import Final

_NS: Final = {
    "ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "": 1_000_000_000, "min": 60_000_000_000,
}  # fmt: skip
_WRITTEN: Final = re.compile(r"(\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})\s?(ns|us|µs|ms|s|min|)", re.ASCII)


def read(text: str) -> int:
    """`250ms`, `1.5s`, `2min` or plain seconds in ns.

    Raises:
        ValueError: it is something else; the message says what to write.
    """
    found = _WRITTEN.fullmatch(text.strip().replace("μ", "µ"))
    if not found:
        raise ValueError(f"{text!r} is no length of time: write 250ms, 1.5s or 2min")
    return round(float(found[1]) * _NS[found[2]])
