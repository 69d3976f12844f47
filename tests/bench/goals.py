"""The rows of the table: what is compared with what, and how good it should be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bus.runtime import NS
from tests.bench.measure import SHAPES
from tests.bench.recording import RATE
from tests.bench.run import Samples

Unit = Literal["×", "%", "s", "ms", "µs", "ns", "bytes", "MB"]


@dataclass(frozen=True, slots=True)
class Row:
    """A figure worked out of one round's times of one or two peers.

    `goal`: None, it is only of interest; else the bound, an upper one if `at_most`.
    """

    name: str
    unit: Unit
    inputs: tuple[str, ...]
    work_out: Callable[..., float]
    goal: float | None = None
    at_most: bool = False

    def values(self, samples: Samples) -> list[float]:
        """The figure in every round; nothing when one of the peers was not measured."""
        columns = [samples.get(name, []) for name in self.inputs]
        return [self.work_out(*one) for one in zip(*columns, strict=False)]

    def reached(self, value: float) -> bool | None:
        """Whether VALUE is as good as the goal; None without one."""
        if self.goal is None:
            return None
        return value <= self.goal if self.at_most else value >= self.goal

    @property
    def goal_text(self) -> str:
        """As the table has it: `≤ 0.6`."""
        return "" if self.goal is None else f"{'≤' if self.at_most else '≥'} {self.goal:g}"


def _faster(name: str, measure: str, than: str, goal: float | None = None, *, peer: str = "bus") -> Row:
    """So many times the operations a second that THAN does."""
    return Row(name, "×", (f"{measure}/{than}", f"{measure}/{peer}"), lambda other, own: other / own, goal)


def _slower(name: str, above: str, below: str, goal: float | None = None) -> Row:
    """So many times the time that BELOW takes."""
    return Row(name, "×", (above, below), lambda one, other: one / other, goal, at_most=True)


def _adds(name: str, measure: str, goal: float) -> Row:
    """What tracing adds to an operation, µs."""
    inputs = (f"{measure}/bus", f"{measure}/bus off")
    return Row(name, "µs", inputs, lambda on, off: (on - off) / 1_000, goal, at_most=True)


def _adds_share(name: str, measure: str, goal: float) -> Row:
    """What tracing adds to an operation, %."""
    inputs = (f"{measure}/bus", f"{measure}/bus off")
    return Row(name, "%", inputs, lambda on, off: (on / off - 1) * 100, goal, at_most=True)


def _ms(name: str, key: str, goal: float) -> Row:
    return Row(name, "ms", (key,), lambda ns: ns / 1_000_000, goal, at_most=True)


def _cpu_share(level: str, goal: float | None = None) -> Row:
    name = f"recording {RATE:,} calls/s into a file and a console, level {level}, of one CPU"
    return Row(name, "%", (f"recording/{level}",), lambda ns: ns * RATE / NS * 100, goal, at_most=True)


def _plain(name: str, unit: Unit, key: str, goal: float | None = None) -> Row:
    return Row(name, unit, (key,), float, goal, at_most=True)


_P50, _MEAN, _BYTES = "round trip p50", "round trip mean", "bytes in flight"
_FIRES = tuple(f"fire {listeners}×{threads}" for listeners, threads in SHAPES)

ROWS = (
    _slower("round trip p50 ÷ SimpleQueue ping-pong", f"{_P50}/bus", f"{_P50}/SimpleQueue", 0.6),
    _slower("… with the portable lock wake", f"{_P50}/bus lock", f"{_P50}/SimpleQueue", 1.3),
    _faster("calls/s ÷ ThreadPoolExecutor.submit().result()", _MEAN, "executor", 2.5),
    _faster("calls/s ÷ pykka ask", _MEAN, "pykka", 2.7),
    _faster("pipelined ÷ ThreadPoolExecutor, window 10,000", "pipelined", "executor", 5),
    *(_faster(f"{fire} ÷ ThreadPoolExecutor", fire, "executor", 7) for fire in _FIRES),
    *(_faster(f"{fire} ÷ pykka tell", fire, "pykka", 2.5) for fire in _FIRES),
    _faster("16 callers → 1 service ÷ ThreadPoolExecutor", "16 callers", "executor", 2.2),
    _adds_share("tracing adds to a round trip, p50, of it", _P50, 10),
    _adds("tracing adds to a round trip, p50", _P50, 0.6),
    _slower("pipelined, traced ÷ untraced time", "pipelined/bus", "pipelined/bus off", 2),
    _adds("tracing adds to a pipelined call", "pipelined", 0.6),
    _plain("bytes for a call in flight", "bytes", f"{_BYTES}/bus", 320),
    _plain("name lookup and argument check, all positional", "ns", "argument check/bus", 500),
    _cpu_share("times", 5),
    Row("reading a session of 1,000,000 calls", "s", ("read a call/1 M",), lambda ns: ns * 1e6 / NS, 5, at_most=True),
    _plain("bytes for a call that was read, with totals and waits, without its texts", "bytes", "bytes kept/1 M", 60),
    _ms("timeline of 160 cells, any window of 1,000,000 calls", "timeline/1 M", 5),
    _ms("timeline of 160 cells, any window of 10,000,000 calls", "timeline/10 M", 5),
    _ms("percentiles of all names, 1,000,000 calls", "percentiles/1 M", 50),
    _ms("a frame of the timeline, all lanes drawn anew, CPU", "frame/1 M", 8),
    _plain("the console at rest on a recording, of one CPU", "%", "idle/1 M", 2),
    Row(
        "memory of the console with 1,000,000 calls",
        "MB",
        ("console memory/1 M",),
        lambda b: b / 1e6,
        250,
        at_most=True,
    ),
    Row("start to the first paint of live data", "s", ("first paint/live",), lambda ns: ns / NS, 0.8, at_most=True),
    _plain(f"the console at {RATE:,} calls/s, 10,000 commands, lists, of one CPU", "%", "console cpu, lists/live", 35),
    _plain(f"the console at {RATE:,} calls/s, 200 lanes, timeline, of one CPU", "%", "console cpu, timeline/live", 35),
    _plain(f"what the console costs the program at {RATE:,} calls/s, of one CPU", "%", "program cost/live", 5),
    _ms(f"key to paint, p95, at {RATE:,} calls/s", "key to paint p95/live", 50),
    # Only of interest.
    _cpu_share("full"),
    _plain("bytes for the arguments and the result of a call that was read", "bytes", "bytes of texts/1 M"),
    _plain("wait-for graph, fast path of a wait's begin and end", "ns", "wait-for check/bus"),
    _slower(
        "round trip p50 ÷ SimpleQueue ping-pong, with a pipe, where there is no eventfd",
        f"{_P50}/bus pipe",
        f"{_P50}/SimpleQueue",
    ),
    _slower("round trip p50 ÷ eventfd ping-pong", f"{_P50}/bus", f"{_P50}/eventfd"),
    _faster("calls/s ÷ asyncio.run_coroutine_threadsafe().result()", _MEAN, "asyncio"),
    _faster("pipelined ÷ pykka ask", "pipelined", "pykka"),
    _faster("pipelined ÷ asyncio.run_coroutine_threadsafe", "pipelined", "asyncio"),
    _faster("16 callers → 1 service ÷ pykka ask", "16 callers", "pykka"),
    *(_faster(f"{fire} ÷ pyee's ExecutorEventEmitter", fire, "pyee") for fire in _FIRES),
    *(_faster(f"{fire}: lock wake ÷ ThreadPoolExecutor", fire, "executor", peer="bus lock") for fire in _FIRES),
    _slower("round trip p50, level full ÷ times", f"{_P50}/bus full", f"{_P50}/bus"),
    _slower("pipelined, level full ÷ times", "pipelined/bus full", "pipelined/bus"),
    _plain("bytes for a call in flight, untraced", "bytes", f"{_BYTES}/bus off"),
    _plain("bytes for a call in flight, ThreadPoolExecutor", "bytes", f"{_BYTES}/executor"),
    _plain("bytes for a call in flight, pykka ask", "bytes", f"{_BYTES}/pykka"),
)
