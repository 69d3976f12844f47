"""Every screen as it was when somebody last looked at it: what a picture shows, as text that a person can compare.

`python -m tests.console.tui.snapshots [LOOK FOLDER]` takes them anew (`make snapshots`). What an SVG says in a way
that changes with the library that writes it, as its ids, is left out; what stands where, in which style, is kept.
"""

import asyncio
import html
import re
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from console.appearance import Appearance
from screenshots.make import HERE as PICTURES_HERE
from screenshots.make import PICTURES
from screenshots.shots import LARGE, NOTHING, SAMPLE, SHOTS, SMALL, stage

_HERE = Path(__file__).with_suffix("")
_CELL = 12.2
"""Width of a cell in the SVG."""
_BASE = 18.5
"""From the top of a cell to the line that its text stands on."""
_STYLE: Final = re.compile(r"\.terminal-\d+-(r\d+) \{ (.*?) \}")
_TEXT: Final = re.compile(r'<text class="terminal-\d+-(r\d+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>')
_GROUND: Final = re.compile(r'<rect fill="([^"]+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"')
_ALL = tuple(name for name in SHOTS if name not in NOTHING)
_OTHERS = ("timeline", "problems", "form", "wrong")
"""What shows most of the colours and glyphs."""
_SILENT = _HERE / "silent.jsonl"
"""A program that has done nothing so far."""


@dataclass(frozen=True)
class Look:
    """Pictures that are drawn in one app; NAMES at SIZE."""

    name: str
    size: tuple[int, int]
    appearance: Appearance
    names: tuple[str, ...]
    recording: Path = SAMPLE

    def file(self, picture: str) -> str:
        """What a picture is kept in."""
        return f"{picture}-{self.name}.txt"


LOOKS = (
    Look("160x45", LARGE, Appearance(), _ALL),
    Look("80x24", SMALL, Appearance(), _ALL),
    Look("silent-80x24", SMALL, Appearance(), NOTHING, _SILENT),
    *(
        Look(f"{theme}-80x24", SMALL, Appearance(theme=theme), _OTHERS)
        for theme in ("light", "safe-dark", "safe-light", "mono")
    ),
    Look("ascii-80x24", SMALL, Appearance(ascii_only=True), _OTHERS),
)


def kept(look: Look, name: str) -> str:
    """What the picture NAME showed when somebody last looked at it; README has some of them."""
    if look.name == "160x45" and name in PICTURES:
        return readable((PICTURES_HERE / f"{name}.svg").read_text(encoding="utf-8"))
    return (_HERE / look.file(name)).read_text(encoding="utf-8")


def readable(svg: str) -> str:
    """What stands on the lines of SVG, then for each line the styles and grounds of its cells, most of them left out.

    Neighbours of one style are one run; the ground that most cells have is not said.
    """
    styles = {kind: css.rstrip("; ") for kind, css in _STYLE.findall(svg)}
    lines: dict[float, list[_Run]] = {}
    grounds: dict[float, list[_Run]] = {}
    for kind, x, y, text in _TEXT.findall(svg):
        words = html.unescape(text).replace("\xa0", " ")
        lines.setdefault(float(y), []).append(_Run(_cells(x), len(words), styles[kind], words))
    for color, x, y, width in _GROUND.findall(svg):
        at = min(lines, key=lambda line: abs(line - float(y) - _BASE))
        grounds.setdefault(at, []).append(_Run(_cells(x), _cells(width), f"on {color}"))
    cells = Counter[str]()
    for run in (run for runs in grounds.values() for run in runs):
        cells[run.look] += run.length
    ((usual, _),) = cells.most_common(1)
    rows, looks = [], []
    for number, y in enumerate(sorted(lines)):
        texts = sorted(lines[y], key=lambda run: run.column)
        rows.append(_row(texts))
        seen = _merged([run for run in texts if run.text.strip()]) + _merged(
            [run for run in sorted(grounds.get(y, []), key=lambda run: run.column) if run.look != usual]
        )
        looks.append(f"{number}: {'; '.join(f'{run.column}+{run.length} {run.look}' for run in seen)}".rstrip())
    return "\n".join([*rows, "", *looks, ""])


@dataclass(frozen=True)
class _Run:
    """Cells of one look."""

    column: int
    length: int
    look: str
    text: str = ""


def _cells(pixels: str) -> int:
    return round(float(pixels) / _CELL)


def _merged(runs: list[_Run]) -> list[_Run]:
    merged: list[_Run] = []
    for run in runs:
        last = merged[-1] if merged else None
        if last and last.look == run.look and last.column + last.length == run.column:
            merged[-1] = replace(last, length=last.length + run.length)
        else:
            merged.append(run)
    return merged


def _row(texts: list[_Run]) -> str:
    row = ""
    for run in texts:
        row = row.ljust(run.column) + run.text
    return row.rstrip()


async def take(look: Look, folder: Path) -> None:
    """Write what each picture of LOOK shows now into FOLDER."""
    async with stage(look.size, look.appearance, look.recording) as on:
        for name in look.names:
            (folder / look.file(name)).write_text(readable(await on.draw(name)), encoding="utf-8")


def main(names: list[str], folder: Path = _HERE) -> None:
    """Take the looks NAMES into FOLDER."""
    folder.mkdir(exist_ok=True)
    for look in LOOKS:
        if look.name in names:
            asyncio.run(take(look, folder))
    if folder == _HERE:
        for name in PICTURES:
            (_HERE / LOOKS[0].file(name)).unlink()  # those are pictures already


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main([sys.argv[1]], Path(sys.argv[2]))
    else:
        main([look.name for look in LOOKS])
