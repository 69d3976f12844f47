"""A terminal for tests: runs a program in a pty and keeps the screen that a person would see."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import termios
import threading
import time
from collections.abc import Sequence
from typing import Self

import pyte

from tests.support import wait_for

# What pyte would print: private modes with a prefix that it does not know (kitty's keyboard protocol, xterm's).
_UNKNOWN = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1bP[^\x1b]*\x1b\\|\x1b\[\?[0-9;]*\$p")


ENTER, ESCAPE = "\r", "\x1b"


class Terminal:
    """The screen belongs to the reading thread, and is looked at under `_lock`."""

    def __init__(
        self, argv: Sequence[str], *, columns: int = 160, rows: int = 45, env: dict[str, str] | None = None
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none"}
            whole = os.environ | (env or {}) | terminal
            # readline, which pytest loads, puts the size of pytest's own terminal into the environment.
            os.execve(argv[0], list(argv), {key: whole[key] for key in whole if key not in {"COLUMNS", "LINES"}})
        self.resize(columns, rows)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.exit_code: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait()
        self._reader.join(10)
        os.close(self._fd)

    @property
    def text(self) -> str:
        """The screen, line by line, without trailing blanks."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def ground(self, row: int, column: int) -> str:
        """The colour behind a cell, as six hex digits."""
        with self._lock:
            return str(self._screen.buffer[row][column].bg)

    def send(self, keys: str) -> None:
        """Type KEYS."""
        os.write(self._fd, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as dragging the window's corner does."""
        with self._lock:
            self._screen.resize(rows, columns)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def see(self, pattern: str, timeout: float = 20.0) -> re.Match[str]:
        """Wait until PATTERN is on the screen; fail with the screen when it is not."""
        try:
            return wait_for(lambda: re.search(pattern, self.text), timeout)
        except AssertionError:
            message = f"{pattern!r} did not appear; the screen was:\n{self.text}"
            raise AssertionError(message) from None

    def wait(self, timeout: float = 20.0) -> int:
        """Wait for the program to end; its exit code, negative for a signal."""
        wait_for(self._ended, timeout)
        assert self.exit_code is not None
        return self.exit_code

    def wait_typing(self, text: str, timeout: float = 20.0) -> int:
        """The same, typing TEXT every second until it has ended."""
        give_up = time.monotonic() + timeout
        while True:
            with contextlib.suppress(OSError):  # it has just ended
                self.send(text)
            try:
                return self.wait(1.0)
            except AssertionError:
                if time.monotonic() > give_up:
                    raise

    def _ended(self) -> bool:
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is not None

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                return
            if not data:
                return
            with self._lock:
                self._stream.feed(_UNKNOWN.sub(b"", data))


def close_outcome(terminal: Terminal) -> None:
    """Close the result, and wait until it is: an Escape and the next key in one read would be Alt and that key."""
    terminal.send(ESCAPE)
    wait_for(lambda: "▔" not in terminal.text)


def type_line(terminal: Terminal, line: str) -> None:
    """Type LINE into the command bar."""
    terminal.send(":" + line)
    terminal.see(re.escape(line))
    terminal.send(ENTER)
