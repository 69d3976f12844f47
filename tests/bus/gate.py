"""A service that holds its one thread until it is told to go on."""

import threading

from bus import Service, command, listener


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


class NarrowGate(Gate):
    """Has room for two, and keeps what came through in order."""

    name = "gate"
    capacity = 2

    def on_start(self) -> None:
        super().on_start()
        self.seen: list[object] = []

    @command("noop")
    def noop(self, value: int = 0) -> int:
        self.seen.append(value)
        return value

    @listener("told")
    def on_told(self, value: object) -> None:
        self.seen.append(value)
