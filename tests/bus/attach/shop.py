"""A service with a command that succeeds, one that fails, one that holds, and a listener."""

import threading

from bus import Service, command, listener


class Shop(Service):
    def __init__(self):
        super().__init__("shop", workers=2)
        self.leave = threading.Event()

    @command("sell")
    def sell(self, item: str, count: int = 1) -> dict[str, object]:
        return {"item": item, "count": count, "token": "hunter2"}

    @command("fail")
    def fail(self, password: str) -> None:
        raise ValueError(f"bad {password}")

    @command("hold")
    def hold(self) -> None:
        self.leave.wait(10)

    @listener("sold")
    def on_sold(self, item: str, count: int = 0) -> None:
        assert isinstance(count, int)
