"""Every cut and every flipped byte of a session that was really recorded: what a reader makes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from bus import Bus, Service, command, lanes
from bus.trace.records import AnyRecord
from bus.trace.session import SessionReader

CALLS = 8


class Shop(Service):
    def __init__(self):
        super().__init__("shop")

    @command("sell")
    def sell(self, item: str) -> str:
        return f"sold {item}"

    @command("fail")
    def fail(self) -> None:
        raise ValueError


def recorded(path: Path) -> bytes:
    """A session of a few calls, 3 to 6 KB: without the lanes of threads that other tests had."""
    lanes.this_thread()  # made now and not inside, or this thread would have no lane for the tests that follow
    with mock.patch.dict(lanes.lanes, clear=True), Bus("shop", trace="full") as bus:
        bus.add(Shop())
        with bus.record(path):
            for number in range(CALLS):
                bus.execute_command("sell", f"te\u00e9 {number}").result()
            assert bus.execute_command("fail").exception() is not None
    return path.read_bytes()


@dataclass
class Damage:
    """Reads damaged copies of one session, and keeps what is wrong in `wrong`: a position, and what was found there."""

    path: Path
    whole: bytes

    def __post_init__(self) -> None:
        self.path.write_bytes(self.whole)
        self.records = self._read()[0]
        self.lines = self.whole.count(b"\n")
        assert len(self.records) == self.lines
        self.wrong: list[str] = []

    def cut(self, sizes: Iterable[int]) -> None:
        """The file ends after so many bytes: all whole lines are there, and a cut one is said to be left out."""
        for size in sizes:
            data = self.whole[:size]
            self.path.write_bytes(data)
            found, damaged = self._read()
            whole = data.count(b"\n")
            rest = data.rpartition(b"\n")[2]
            complete = len(found) == whole + 1  # the newline alone was cut off
            if found[:whole] != self.records[:whole] or damaged != int(bool(rest) and not complete):
                self.wrong.append(f"cut after {size}: {len(found)} records, {damaged} left out")

    def flip(self, positions: Iterable[int], masks: Iterable[int]) -> None:
        """The bits of MASKS are others in one byte: two lines are touched at most, and none is missing unsaid."""
        kinds = tuple(masks)
        for position in positions:
            for mask in kinds:
                data = bytearray(self.whole)
                data[position] ^= mask
                self.path.write_bytes(data)
                found, damaged = self._read()
                intact = sum(record in found for record in self.records)
                if intact < self.lines - 2 or len(found) + damaged < self.lines - 1:
                    self.wrong.append(f"byte {position} ^ {mask:#x}: {intact} of {self.lines} intact, {damaged} out")

    def _read(self) -> tuple[list[AnyRecord], int]:
        reader = SessionReader(self.path)
        return [record for block in reader for record in block], reader.damaged
