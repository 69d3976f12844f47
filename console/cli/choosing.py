"""Which target the words of a command line mean, and the session that is made of it."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from console.target import Target, TargetError

if TYPE_CHECKING:
    from console.session import Session

ONLY = "-"
"""Stands for the only program that there is, where a target has to be written."""


def demo_command(folder: str | None) -> list[str]:
    """What starts the sample program on FOLDER, or on Python's own library."""
    command = [sys.executable, "-m", "sample_services"]
    if folder is None:
        return command
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise TargetError(f"{path} is not a folder" if path.exists() else f"there is no folder {path}")
    if not os.access(path, os.R_OK | os.X_OK):
        raise TargetError(f"the folder {path} cannot be read by you")
    return [*command, str(path.resolve())]


def attached(spec: str | None) -> Target:
    """A program that runs: SPEC is its name, its pid or its socket; None: the only one."""
    from console.target.attached import AttachedTarget
    from console.target.injecting import reach

    return AttachedTarget(reach(spec).socket)


def recorded(paths: list[str]) -> Target:
    """One recording, or several in one view."""
    from console.target.merged import open_recordings

    return open_recordings(paths)


def repl_target(given: argparse.Namespace) -> Target:
    """What `repl` works on."""
    if given.open is not None:
        return recorded(given.open)
    if given.demo:
        from console.target.launch import launch

        return launch(demo_command(None), name="sample-search")
    return attached(given.target)


def recordable(spec: str) -> Target:
    """A program to start, if SPEC is what `run` takes; else one that runs."""
    from console.target.launch import command_line, launch

    if ":" in spec or spec.endswith(".py"):
        stdin = subprocess.DEVNULL if sys.stdin.isatty() else sys.stdin.fileno()
        return launch(command_line(spec), name=Path(spec.partition(":")[0]).stem, stdin=stdin)
    return attached(spec)


def named(spec: str) -> Target:
    """A recording, if SPEC is a file or a folder; else a program that runs; `-`: the only one."""
    path = Path(spec).expanduser()
    if spec != ONLY and (path.is_file() or path.is_dir() or spec.endswith(".jsonl")):
        return recorded([spec])
    return attached(None if spec == ONLY else spec)


def session(target: Target, *, acts: bool = True) -> "Session":
    """A session with what the config file says; one that does not act leaves the program recording what it does."""
    from console import config
    from console.session import Session

    loaded = config.load()
    preferences = loaded.preferences if acts else replace(loaded.preferences, level=None)
    return Session(target, settings=loaded.rules, preferences=preferences)
