"""Text that does harm where it is shown as it is: the one corpus, for all sinks and widgets."""

from collections.abc import Iterable, Iterator
from typing import Any

TEXTS = {
    "clear": "\x1b[2J",
    "OSC 8": "\x1b]8;;http://hostile.example\x07link\x1b]8;;\x07",
    "OSC 52": "\x1b]52;c;aG9zdGlsZQ==\x07",
    "C1": "\x9b31m red \x9d52;c;x\x9c",
    "bidi": "\u202egnp.exe\u2066 \u200f",
    "invisible": "a\u200b\ufeffb\U000e0001",
    "NUL": "a\x00b\x7f",
    "surrogate": "\ud800 \udc80",
    "lines": "one\r\ntwo\x0bthree\u2028four",
    "action": "[@click=app.quit]x[/]",
    "markup": "[/x] [bold",
    "tag": "<hostile-tag onload='x'>--></hostile-tag>",
}
EVERY = " ".join(TEXTS.values())
HUGE = EVERY + "x" * 25_000_000
"""100 MB in memory: four bytes a character, because of the widest one."""


def is_harmless(text: str) -> bool:
    """Whether no character of it can do anything but be seen; ends of lines are ours."""
    return all(char.isprintable() or char == "\n" for char in text)


def strings(value: Any) -> Iterator[str]:
    """All text in a tree of lists and dicts, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for item in value:
            yield from strings(item)
