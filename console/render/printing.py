"""Where results are printed that no screen shows: in a terminal's width and colours, plainly into anything else."""

from typing import TextIO

from rich.console import Console

PLAIN_WIDTH = 160


class PlainConsole(Console):
    """For a pipe or a file: no colours, and no line is broken; whoever reads it may go at any time."""

    def __init__(self, file: TextIO) -> None:
        super().__init__(file=file, width=PLAIN_WIDTH, soft_wrap=True, highlight=False, markup=False, emoji=False)

    def on_broken_pipe(self) -> None:
        """As for all that is written: `cli.main` ends quietly, with the status of a broken pipe."""
        raise BrokenPipeError


def console_for(file: TextIO) -> Console:
    """The console that prints to FILE."""
    if file.isatty():
        return Console(file=file, highlight=False, markup=False, emoji=False)
    return PlainConsole(file)
