import os
import stat
import subprocess
import sys
import threading

import pytest

from bus import Bus, Service, command, switches
from bus.attach.door import EndpointError
from bus.trace.records import Call, Problem
from bus.trace.session import SessionError, SessionReader
from tests.support import wait_for


class Echo(Service):
    def __init__(self):
        super().__init__("echo")
        self.leave = threading.Event()
        self.entered = threading.Event()

    @command("echo")
    def echo(self, value: int) -> int:
        return value

    @command("hold")
    def hold(self) -> None:
        self.entered.set()
        self.leave.wait(10)


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("BUS_CONSOLE", "BUS_TRACE", "BUS_TRACE_FILE", "BUS_DUMP", "BUS_DUMP_ON"):
        monkeypatch.delenv(name, raising=False)


def calls(path):
    return [record for block in SessionReader(path) for record in block if isinstance(record, Call)]


def sockets(tmp_path):
    return sorted((tmp_path / "bus-console").glob("*.sock"))


def test_the_environment_opens_the_endpoint(monkeypatch, tmp_path):
    """For every bus, without a change of the program; closing the bus closes it."""
    monkeypatch.setenv("BUS_CONSOLE", "1")
    with Bus("shop"), Bus("shop"):
        names = [path.name for path in sockets(tmp_path)]
        assert names == [f"shop-{os.getpid()}-2.sock", f"shop-{os.getpid()}.sock"]
        assert stat.S_IMODE((tmp_path / "bus-console").stat().st_mode) == 0o700
    assert sockets(tmp_path) == []


@pytest.mark.parametrize("off", ["", "0", "no", "False"])
def test_the_environment_can_say_no(monkeypatch, tmp_path, off):
    """As people write it."""
    monkeypatch.setenv("BUS_CONSOLE", off)
    with Bus("shop"):
        assert sockets(tmp_path) == []


def test_the_environment_names_a_file(monkeypatch, tmp_path):
    """It is complete when the bus is closed."""
    monkeypatch.setenv("BUS_TRACE_FILE", str(tmp_path / "s.jsonl"))
    monkeypatch.setenv("BUS_TRACE", "full")
    with Bus("shop") as bus:
        bus.add(Echo())
        for number in range(100):
            bus.execute_command("echo", number).result()
    found = calls(tmp_path / "s.jsonl")
    assert [call.args for call in found] == [str(number) for number in range(100)]


def test_what_the_code_says_counts_more_than_the_environment(monkeypatch, tmp_path):
    """`Bus(trace=…)` is the program's own decision."""
    monkeypatch.setenv("BUS_TRACE", "full")
    with Bus("shop", trace="times") as bus:
        bus.add(Echo())
        with bus.record(tmp_path / "s.jsonl"):
            bus.execute_command("echo", 1).result()
    assert [call.args for call in calls(tmp_path / "s.jsonl")] == [""]


def test_trouble_with_the_environment_does_not_stop_the_program(monkeypatch, tmp_path, caplog):
    """It is logged, with what to do."""
    (tmp_path / "bus-console").mkdir(mode=0o755)
    monkeypatch.setenv("BUS_CONSOLE", "1")
    monkeypatch.setenv("BUS_TRACE", "loud")
    monkeypatch.setenv("BUS_TRACE_FILE", "/nowhere/at/all")
    with Bus("shop") as bus:
        bus.add(Echo())
        assert bus.execute_command("echo", 1).result() == 1
    monkeypatch.setenv("BUS_DUMP", str(tmp_path))
    monkeypatch.setenv("BUS_DUMP_ON", "trouble")
    Bus("second").close()
    for text in (
        "'trouble' is no trigger",
        "chmod 700",
        "BUS_TRACE=loud is not one of off, times, full",
        "cannot record to /nowhere/at/all",
    ):
        assert text in caplog.text


def test_what_a_call_asks_for_raises(tmp_path):
    """The one who asks can do something about it."""
    (tmp_path / "bus-console").mkdir(mode=0o755)
    with Bus("shop") as bus:
        with pytest.raises(EndpointError, match="chmod 700"):
            bus.serve()
        with pytest.raises(SessionError, match="cannot record"):
            bus.record("/nowhere/at/all")


def test_serving_ends_with_its_registration(tmp_path):
    """The socket is gone, the bus goes on; it can be opened again."""
    with Bus("shop") as bus:
        with bus.serve():
            assert len(sockets(tmp_path)) == 1
        assert sockets(tmp_path) == []
        with bus.serve() as registration:
            registration.dispose()
            assert sockets(tmp_path) == []


def test_a_recording_has_what_happened_between_its_start_and_its_end(tmp_path):
    """Calls before and after are not in it; those in flight at its end are, unended."""
    echo = Echo()
    with Bus("shop", trace="full") as bus:
        bus.add(echo)
        bus.execute_command("echo", 1).result()
        registration = bus.record(tmp_path)
        bus.execute_command("echo", 2).result()
        bus.execute_command("hold")
        assert echo.entered.wait(5)
        registration.dispose()
        echo.leave.set()
        bus.execute_command("echo", 3).result()
    (path,) = tmp_path.glob("shop-*.jsonl")
    assert [(call.name, call.args, call.outcome) for call in calls(path)] == [("echo", "2", "ok"), ("hold", "", None)]


def test_a_long_recording_goes_on_in_new_files(tmp_path):
    """The one of the given name is the newest, and opens all of them."""
    with Bus("shop") as bus:
        bus.add(Echo())
        with bus.record(tmp_path / "s.jsonl", part_bytes=2_000):
            for number in range(30):
                bus.execute_command("echo", number).result()
                assert number % 10 or switches._plugged[bus].recorder.flush()
    assert (tmp_path / "s.1.jsonl.zst").exists()
    assert len(calls(tmp_path / "s.jsonl")) == 30


def test_a_long_call_is_in_the_file_before_it_ends(tmp_path):
    """A program that is killed while it hangs leaves a file that says where."""
    echo = Echo()
    with Bus("shop") as bus:
        bus.add(echo)
        bus.record(tmp_path / "s.jsonl")
        bus.execute_command("hold")
        held = wait_for(lambda: calls(tmp_path / "s.jsonl"))
        assert [(call.name, call.outcome, bool(call.started)) for call in held] == [("hold", None, True)]
        echo.leave.set()
    assert [call.outcome for call in calls(tmp_path / "s.jsonl")] == [None, "ok"]


def test_a_full_disk_stops_the_recording_and_not_the_program(tmp_path):
    """One problem is noted for those who watch; what was written can be read."""
    with Bus("shop") as bus:
        bus.add(Echo())
        stopped = bus.record(tmp_path / "full.jsonl")
        bus.record(tmp_path / "other.jsonl")
        bus.execute_command("echo", 1).result()
        recording = switches._plugged[bus]._recordings[0]
        assert switches._plugged[bus].recorder.flush()
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, recording._file_writer._fd)
        os.close(full)
        for number in range(5):
            bus.execute_command("echo", number).result()
            switches._plugged[bus].recorder.flush(1)
        assert bus.execute_command("echo", 7).result() == 7
        stopped.dispose()
    others = [record for block in SessionReader(tmp_path / "other.jsonl") for record in block]
    problems = [record for record in others if isinstance(record, Problem)]
    assert [problem.rule for problem in problems] == ["recording stopped"]
    assert "No space left" in problems[0].text
    assert len(calls(tmp_path / "full.jsonl")) == 1


def test_the_environment_keeps_the_evidence_of_what_goes_wrong(monkeypatch, tmp_path):
    """BUS_DUMP says where, BUS_DUMP_ON of what; the dump that was begun is finished before the bus is closed."""
    monkeypatch.setenv("BUS_DUMP", str(tmp_path))
    monkeypatch.setenv("BUS_DUMP_ON", "slow=0.0")
    with Bus("shop") as bus:
        bus.add(Echo())
        bus.execute_command("echo", 1).result()
    (path,) = tmp_path.glob("shop-*-dump-*.jsonl")
    assert [call.name for call in calls(path)] == ["echo"]


def test_closing_the_bus_leaves_no_thread(monkeypatch):
    """Pump, door and file writer end with it."""
    before = set(threading.enumerate())
    monkeypatch.setenv("BUS_CONSOLE", "1")
    with Bus("shop", trace="full") as bus:
        bus.add(Echo())
    wait_for(lambda: set(threading.enumerate()) <= before)


def test_a_bus_that_uses_none_of_it_loads_none_of_it():
    """A program pays for what it uses."""
    code = (
        "import sys, bus; b = bus.Bus('x'); b.close();"
        "loaded = {'bus.trace.recorder', 'bus.trace.dump', 'bus.attach.endpoint', 'bus.switches', 'platformdirs'};"
        "print(sorted(loaded & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
