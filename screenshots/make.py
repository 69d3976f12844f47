"""Draws the README's pictures from a recorded session: the same bytes from the same recording, every time."""

import argparse
import asyncio
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from console.appearance import Appearance  # noqa: E402  the path first: this is a script
from screenshots.record import record  # noqa: E402
from screenshots.shots import LARGE, stage  # noqa: E402

PICTURES = (
    "commands", "events", "timeline", "calls", "tree", "services", "problems", "output",
    "slow-listener", "slow-listener-timeline",
)  # fmt: skip


async def draw(folder: Path, names: list[str]) -> None:
    """Write NAMES, or all, into FOLDER."""
    async with stage(LARGE, Appearance()) as on:
        for name in names or PICTURES:
            path = folder / f"{name}.svg"
            path.write_text(await on.draw(name), encoding="utf-8")
            sys.stdout.write(f"{path}\n")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which, all without one: {', '.join(PICTURES)}")
    parser.add_argument("--to", type=Path, default=HERE, metavar="FOLDER", help="where they go")
    parser.add_argument("--record", action="store_true", help="first record sample.jsonl anew, from the sample program")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in PICTURES]:
        parser.error(f"there is no picture {unknown[0]}; there are: {', '.join(PICTURES)}")
    if given.record:
        record()
    asyncio.run(draw(given.to, given.names))


if __name__ == "__main__":
    main()
