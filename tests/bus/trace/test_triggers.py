import os
import signal
import threading

import pytest

from bus import Bus, Service, command, listener, switches
from bus.context import Delivered, Fired, Timed, Waited
from bus.trace.records import Call, Depth, Dump, Problem, State
from bus.trace.session import SessionError, SessionReader
from bus.trace.triggers import Triggers, read_triggers
from tests.support import wait_for

NEVER = 3_600.0


class Shop(Service):
    def __init__(self):
        super().__init__("shop")
        self.entered, self.leave = threading.Event(), threading.Event()

    @command("fail")
    def fail(self) -> None:
        raise ValueError("no tea")

    @command("hold")
    def hold(self) -> None:
        self.entered.set()
        self.leave.wait(10)

    @command("pause")
    def pause(self) -> None:
        threading.Event().wait(0.05)

    @listener("sold")
    def on_sold(self) -> None:
        raise KeyError("tea")

    @command("ask_oneself")
    def ask_oneself(self) -> None:
        self.bus.execute_command("pause").result()


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def bus(shop):
    with Bus("shop", trace="times") as bus:
        bus.add(shop)
        yield bus
        shop.leave.set()


def dumps(path):
    return sorted(path.glob("*.jsonl"))


def trigger(path):
    (dump,) = (record for block in SessionReader(path) for record in block if isinstance(record, Dump))
    return dump.trigger


def test_a_listener_that_fails_is_worth_a_dump(bus, tmp_path):
    """Nobody else would ask for its error; what happened is in the file that it makes."""
    bus.dump_on(tmp_path)
    bus.fire_event("sold")
    (path,) = wait_for(lambda: dumps(tmp_path))
    assert "the listener sold" in trigger(path)
    records = [record for block in SessionReader(path) for record in block]
    assert any(isinstance(record, Call) and record.outcome == "error" for record in records)


def test_an_error_that_is_asked_for_is_none(bus, tmp_path):
    """And one that nobody asked for is."""
    with bus.dump_on(tmp_path), pytest.raises(ValueError, match="no tea"):
        bus.execute_command("fail").result()
    assert dumps(tmp_path) == []
    with bus.dump_on(tmp_path):
        bus.execute_command("fail")
        (path,) = wait_for(lambda: dumps(tmp_path))
    assert "was never retrieved: ValueError: no tea" in trigger(path)


def test_a_deadlock_is_worth_a_dump(bus, tmp_path):
    """It was refused, so the program goes on, and would forget."""
    bus.dump_on(tmp_path, Triggers(errors=False))
    assert bus.execute_command("ask_oneself").exception() is not None
    (path,) = wait_for(lambda: dumps(tmp_path))
    assert trigger(path).startswith("ask_oneself #")


def test_a_slow_call_is_worth_a_dump_while_it_runs(bus, shop, tmp_path):
    """The evidence is there while it hangs."""
    bus.dump_on(tmp_path, Triggers(slow=0.02, cooldown=NEVER))
    bus.execute_command("hold")
    (path,) = wait_for(lambda: dumps(tmp_path))
    assert "hold #" in trigger(path)
    assert not shop.leave.is_set()
    (call,) = (record for block in SessionReader(path) for record in block if isinstance(record, Call))
    assert (call.name, call.outcome) == ("hold", None)


def test_a_full_mailbox_is_worth_a_dump(bus, shop, tmp_path):
    """As the recorder samples it."""
    bus.dump_on(tmp_path, Triggers(mailbox=20))
    promises = [bus.execute_command("hold") for _ in range(30)]
    (path,) = wait_for(lambda: dumps(tmp_path))
    assert "calls are in the mailbox of shop" in trigger(path)
    shop.leave.set()
    for promise in promises:
        promise.result()


def test_a_signal_is_worth_a_dump_each_time(bus, tmp_path):
    """It asks, so no cooldown keeps it from its answer; the former handler is called too, and is back afterwards."""
    heard = []
    former = signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
    mine = signal.getsignal(signal.SIGUSR1)
    try:
        with bus.dump_on(tmp_path, Triggers(signal=signal.SIGUSR1, cooldown=NEVER)):
            for number in (1, 2):
                os.kill(os.getpid(), signal.SIGUSR1)
                wait_for(lambda number=number: len(dumps(tmp_path)) == number)
        assert {trigger(path) for path in dumps(tmp_path)} == {"signal SIGUSR1"}
        assert heard == [signal.SIGUSR1] * 2
        assert signal.getsignal(signal.SIGUSR1) is mine
    finally:
        signal.signal(signal.SIGUSR1, former)


def test_a_signal_can_only_be_caught_in_the_main_thread(bus, tmp_path):
    """The message says so."""
    caught = []

    def ask():
        with pytest.raises(SessionError, match="in the main thread") as error:
            bus.dump_on(tmp_path, Triggers(signal=signal.SIGUSR1))
        caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(5)
    assert caught


def test_what_fails_again_and_again_is_dumped_once_in_the_cooldown(bus, tmp_path):
    """The second dump would take the CPU from the program, and tell the same."""
    with bus.dump_on(tmp_path, Triggers(cooldown=NEVER)):
        for _ in range(3):
            bus.fire_event("sold")
            wait_for(lambda: not bus.live_calls())
            assert switches._plugged[bus].recorder.flush()
            wait_for(lambda: dumps(tmp_path))
    assert len(dumps(tmp_path)) == 1


def test_the_disk_does_not_fill_with_dumps(bus, tmp_path):
    """The newest are kept; nothing else in the directory is touched."""
    other = tmp_path / "mine.jsonl"
    other.write_text("")
    with bus.dump_on(tmp_path, Triggers(cooldown=0.0, keep=2)):
        seen = set()
        while len(seen) < 5:
            bus.fire_event("sold")
            seen |= set(dumps(tmp_path)) - {other}
    assert other.exists()
    assert 1 <= len(set(dumps(tmp_path)) - {other}) <= 2


def test_a_dump_that_cannot_be_written_is_logged(bus, tmp_path, caplog):
    """The program goes on."""
    with bus.dump_on(tmp_path / "none" / "d.jsonl"):
        bus.fire_event("sold")
        wait_for(lambda: "No such file" in caplog.text)
    assert bus.execute_command("pause").result() is None


def test_after_the_end_of_the_watch_nothing_is_dumped(bus, tmp_path):
    """Disposing the registration takes it back."""
    bus.dump_on(tmp_path).dispose()
    bus.fire_event("sold")
    with bus.record(tmp_path / "s.jsonl"):
        pass
    assert dumps(tmp_path) == [tmp_path / "s.jsonl"]


@pytest.mark.parametrize(
    ("text", "triggers"),
    [
        ("error", Triggers(deadlocks=False)),
        ("deadlock, slow=2.5", Triggers(errors=False, slow=2.5)),
        (
            "mailbox=10 signal=USR1 cooldown=0 keep=3",
            Triggers(errors=False, deadlocks=False, mailbox=10, signal=signal.SIGUSR1, cooldown=0, keep=3),
        ),
        ("signal=SIGUSR2 error deadlock", Triggers(signal=signal.SIGUSR2)),
    ],
)
def test_triggers_are_written_as_words(text, triggers):
    """As in BUS_DUMP_ON."""
    assert read_triggers(text) == triggers


@pytest.mark.parametrize("word", ["errors", "slow", "slow=soon", "signal=HUP1", "error=2", "=", "mailbox=1.5"])
def test_a_word_that_is_no_trigger_is_refused(word):
    """The message lists those that there are."""
    with pytest.raises(SessionError, match="is no trigger of a dump; there are: error deadlock slow"):
        read_triggers(f"error {word}")


def test_reasons_name_what_happened():
    """A record of each kind, and the limit itself is not over it."""
    call = Call(id=3, root=3, kind="command", name="x", queued=0, started=1, ended=2_000_000_000, outcome="ok")
    items = [
        State(service="s", state="failed", at=1, error="E"),
        Depth(service="s", at=1, depth=10),
        Depth(service="s", at=1, depth=11),
        Problem(rule="deadlock", at=1, text="suspected", suspected=True),
        Problem(rule="stuck", at=1, text="no"),
        Timed(4, (1, 0, 0, 0), 1, 1, 5, 6, 2_000_000_005, 0),
        Timed(5, (1, 0, 0, 0), 1, 1, 5, 6, 2_000_000_006, 0),
        fired := Fired(6, 0, 6, 0, 1, 1, 5),
        Delivered(7, fired, 1, 2, 6, 2_000_000_005),
        Delivered(8, fired, 1, 2, 6, 2_000_000_006),
        Waited(1, 1, 1, 0, 9_000_000_000),
        call,
    ]
    assert list(Triggers(slow=2.0, mailbox=10).found(items)) == [
        "the service s failed: E",
        "11 calls are in the mailbox of s",
        "suspected",
        "call #5 took 2.000 s",
        "call #8 took 2.000 s",
    ]
