"""A service that holds its one thread until it is told to go on."""

import threading

from bus import Service, command


class Gate(Service):
    def on_start(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.ran = 0

    @command("hold")
    def hold(self) -> str:
        self.entered.set()
        assert self.opened.wait(10)
        return "held"

    @command("count")
    def count(self) -> int:
        self.ran += 1
        return self.ran
