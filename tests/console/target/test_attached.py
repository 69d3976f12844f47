import os
import socket
import threading
from contextlib import suppress

import msgspec
import pytest

from bus import Bus, Service, command
from bus.attach.frames import pack
from bus.attach.protocol import ABILITIES, Batch, Message, Refused, Reply, Welcome
from bus.trace.records import Call, Output, Session
from console.target import TargetError
from console.target import attached as attached_module
from console.target.attached import AttachedTarget, is_running
from console.target.connecting import Connection
from console.target.discover import sockets
from tests.support import wait_for

SESSION = Session(session="s", pid=os.getpid(), program="fake", python="3.11", start_monotonic=5, start_unix=6)


class Shop(Service):
    def __init__(self):
        super().__init__("shop")
        self.leave = threading.Event()

    @command("sell")
    def sell(self, item: str, count: int = 1) -> str:
        return f"{count} {item}"

    @command("hold")
    def hold(self) -> None:
        self.leave.wait(10)


class Answers(list):
    """Collects replies and the names of the threads they came on."""

    def __call__(self, reply):
        self.append(reply)

    def one(self):
        wait_for(lambda: len(self) == 1)
        return self[0]


@pytest.fixture
def bus():
    shop = Shop()
    with Bus("shop", trace="full") as bus:
        bus.add(shop)
        bus.serve()
        yield bus
        shop.leave.set()


@pytest.fixture
def target(bus):
    target = AttachedTarget(sockets()[0])
    yield target
    target.close()


def drained(target, batches, done):
    def take():
        batches.extend(target.drain())
        return done(batches)

    wait_for(take)
    return [record for batch in batches for record in batch.records]


def test_attaching_says_who_it_is_and_what_was(bus, target):
    """Session and state at once, the snapshot in the first batches."""
    assert (target.info.state, target.info.can_act, target.info.session.program) == ("live", True, "shop")
    drained(target, [], lambda batches: any(batch.snapshot_done for batch in batches))


def test_what_happens_arrives(bus, target):
    """Within moments, on its own."""
    bus.execute_command("sell", "tea").result()
    batches: list[Batch] = []
    records = drained(target, batches, lambda all_: any(isinstance(r, Call) for b in all_ for r in b.records))
    assert [(call.name, call.args) for call in records if isinstance(call, Call)] == [("sell", "'tea'")]


def test_executing_and_firing_are_answered_once(target):
    """With the request's number, result and receivers."""
    executed, fired = Answers(), Answers()
    first = target.execute("sell", ["tea"], {"count": 2}, executed)
    second = target.fire("sold", [], {}, fired)
    assert (executed.one().request, executed.one().value) == (first, '"2 tea"')
    assert (fired.one().request, fired.one().receivers) == (second, ())


def test_a_call_can_be_cancelled(target):
    """While it is queued; afterwards nothing happens."""
    running, queued = Answers(), Answers()
    target.execute("hold", [], {}, running)
    drained(target, [], lambda batches: batches and any(call.started for call in batches[-1].live))
    request = target.execute("hold", [], {}, queued)
    drained(target, [], lambda batches: batches and batches[-1].in_flight == 2)
    target.cancel(request)
    assert queued.one().outcome == "cancelled"
    target.cancel(request)
    target.cancel(999)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", float("nan")])
def test_values_that_are_not_json_are_refused_here(target, value):
    """Before anything is sent."""
    with pytest.raises(TargetError, match="cannot be sent as JSON"):
        target.execute("sell", [value], {}, print)


def test_a_value_too_long_for_a_frame_is_refused_here(target):
    """The connection goes on."""
    with pytest.raises(TargetError, match="more than a frame holds"):
        target.execute("sell", ["x" * 2_000_000], {}, print)
    answers = Answers()
    target.execute("sell", ["x"], {}, answers)
    assert answers.one().outcome == "ok"


def test_many_requests_at_once_are_all_answered(target):
    """More than the socket's buffer takes at a time."""
    answers = Answers()
    for number in range(500):
        target.execute("sell", ["x" * 2_000, number], {}, answers)
    wait_for(lambda: len(answers) == 500)
    assert {reply.outcome for reply in answers} == {"ok"}


def test_a_reader_cannot_act(bus):
    """It is told here already."""
    target = AttachedTarget(sockets()[0], role="read")
    assert not target.info.can_act
    with pytest.raises(TargetError, match="for reading only"):
        target.execute("sell", ["x"], {}, print)
    target.close()


def test_what_threads_do_can_be_asked_without_the_right_to_act(bus):
    """By the call that one runs, by its lane, or all of them."""
    promise = bus.execute_command("hold")
    wait_for(promise.running)
    target = AttachedTarget(sockets()[0], role="read")
    for lanes, calls in (([], []), ([promise.call.lane], []), ([], [promise.call.id])):
        answers = Answers()
        target.stacks(lanes, calls, answers)
        (stack,) = (one for one in answers.one().stacks if one.call == promise.call.id)
        assert (stack.name, stack.frames[-1].source) == ("shop-0", "self.leave.wait(10)")
    target.close()


def test_dead_letters_can_be_asked_without_the_right_to_act(bus):
    """What nobody listened to, and why."""
    bus.fire_event("nobody.hears")
    target = AttachedTarget(sockets()[0], role="read")
    answers = Answers()
    target.dead_letters(answers)
    assert [letter.name for letter in answers.one().letters] == ["nobody.hears"]
    target.close()


def test_an_older_program_is_not_asked_for_what_it_does_not_know(fake):
    """It would hang up; the console says what to do, and goes on."""
    target = AttachedTarget(fake(WELCOME).path)
    with pytest.raises(TargetError, match="older than the console"):
        target.stacks([], [], print)
    with pytest.raises(TargetError, match="tells no dead letters"):
        target.dead_letters(print)
    assert target.info.state == "live"
    target.close()


def test_when_the_bus_is_closed_everything_stays(bus, target):
    """The state says why; what is pending gets an answer; nothing more can be sent."""
    answers = Answers()
    target.execute("hold", [], {}, answers)
    drained(target, [], lambda batches: batches and batches[-1].in_flight == 1)
    threading.Thread(target=bus.close, args=(0.2,)).start()
    wait_for(lambda: target.info.state == "ended")
    assert "closed" in target.info.reason
    assert target.info.session.program == "shop"
    assert answers.one().error is not None
    with pytest.raises(TargetError, match="has ended"):
        target.execute("sell", ["x"], {}, print)
    with pytest.raises(TargetError, match="has ended"):
        target.stacks([], [], print)
    target.drain()


def test_closing_leaves_no_thread_and_the_program_running(bus):
    """And an answer for each request that is pending."""
    before = set(threading.enumerate())
    answers = Answers()
    target = AttachedTarget(sockets()[0])
    target.execute("hold", [], {}, answers)
    target.close()
    target.close()
    assert "the console closed" in answers.one().error.message
    wait_for(lambda: not any(t.name == "console-target" for t in set(threading.enumerate()) - before))
    assert bus.execute_command("sell", "tea").done() in (True, False)


class Fake:
    """An endpoint that says what a test wants."""

    def __init__(self, path, *said):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.said = said
        self.leave, self.said_all = threading.Event(), threading.Event()
        self.connection: socket.socket | None = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        self.connection, _ = self.listener.accept()
        with self.connection, suppress(BrokenPipeError):
            for message in self.said:
                self.connection.sendall(pack(message) if isinstance(message, Message) else message)
            self.said_all.set()
            self.leave.wait(10)

    def close(self):
        self.leave.set()
        if self.connection is not None and not self.said_all.is_set():  # nobody reads: do not wait for that
            self.connection.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


@pytest.fixture
def fake(tmp_path):
    made: list[Fake] = []

    def make(*said):
        made.append(Fake(tmp_path / "f.sock", *said))
        return made[-1]

    yield make
    for one in made:
        one.close()


WELCOME = Welcome(session=SESSION, role="act", protocol=1)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (msgspec.structs.replace(WELCOME, protocol=2), "use the same bus-console in both"),
        (Welcome(session=msgspec.structs.replace(SESSION, version=7), role="act"), "use the same bus-console in both"),
        (Refused(reason="no\x1b[2J"), r"refused: no\\x1b\[2J"),
        (Batch(at=1), "does not begin with a welcome"),
        (b"\x00\x00\x00\x01\xc1", "is not understood"),
        (b"\xff\xff\xff\xff", "is not understood"),
    ],
)
def test_an_endpoint_that_cannot_be_talked_to_is_explained(fake, said, message):
    """A newer one, one that refuses, one that is none."""
    with pytest.raises(TargetError, match=message):
        AttachedTarget(fake(said).path)


def test_one_that_does_not_answer_is_given_up(fake):
    """A program that was stopped still has its socket."""
    with pytest.raises(TargetError, match="does not answer"):
        Connection(fake().path, "read", timeout=0.05)


def test_what_comes_with_the_welcome_is_not_lost(fake):
    """Batches in the same packet."""
    target = AttachedTarget(fake(pack(WELCOME) + pack(Batch(at=1)) + pack(Batch(at=2))).path)
    batches: list[Batch] = []
    drained(target, batches, lambda all_: len(all_) == 2)
    target.close()


def test_nonsense_from_the_program_ends_the_connection(fake):
    """The console says what broke and goes on."""
    one = fake(WELCOME)
    target = AttachedTarget(one.path)
    one.connection.sendall(b"\x00\x00\x00\x02\xff\xff")
    wait_for(lambda: target.info.state == "ended")
    assert "the connection broke" in target.info.reason
    target.close()


def test_a_console_that_does_not_drain_stops_reading(fake, monkeypatch):
    """Its memory stays bounded; when it drains again, the rest comes."""
    monkeypatch.setattr(attached_module, "MAX_BATCHES", 10)
    one = fake(WELCOME, *[Batch(at=n) for n in range(20_000)])
    target = AttachedTarget(one.path)
    batches = [batch for _ in range(2) for batch in target.drain()]
    wait_for(lambda: target._full)
    assert len(target._batches) < 20_000
    drained(target, batches, lambda all_: len(all_) == 20_000)
    assert [batch.at for batch in batches] == list(range(20_000))
    target.close()


@pytest.mark.parametrize("goodbye", [(), (Refused(reason="over"),)])
def test_what_comes_before_the_first_picture_waits(fake, goodbye):
    """Read, but not unpacked, but for what the picture needs; all of it is there, also if the program has ended."""
    one = fake(WELCOME, *[Batch(at=n, snapshot_done=n == 1) for n in range(20_000)], *goodbye)
    target = AttachedTarget(one.path)
    assert one.said_all.wait(10)
    if goodbye:
        one.close()
        wait_for(lambda: target.info.state == "ended")
    else:
        wait_for(lambda: len(target._batches) + len(target._held) // len(pack(Batch(at=0))) > 10_000)
        assert 2 <= len(target._batches) < 20_000
    first = list(target.drain())
    assert first[:2] == [Batch(at=0), Batch(at=1, snapshot_done=True)]
    batches = first
    drained(target, batches, lambda all_: len(all_) == 20_000)
    assert [batch.at for batch in batches] == list(range(20_000))
    if goodbye:
        wait_for(lambda: target.info.reason == "over")
    target.close()


def test_more_than_can_wait_is_not_read(fake, monkeypatch):
    """A console that is stopped while it starts keeps little."""
    monkeypatch.setattr(attached_module, "_MOST_HELD", 1_000)
    one = fake(WELCOME, *[Batch(at=n, snapshot_done=not n) for n in range(100_000)])
    target = AttachedTarget(one.path)
    wait_for(lambda: target._full)
    assert 1_000 < len(target._held) < 1_000_000
    batches: list[Batch] = []
    drained(target, batches, lambda all_: len(all_) == 100_000)
    target.close()


def test_an_answer_does_not_wait_for_the_first_picture(fake):
    """Whoever asks before anything was drained is answered all the same."""
    long = Output(at=1, stream="stdout", text="x" * 10_000)
    one = fake(
        WELCOME,
        *[Batch(at=n, records=(long,), snapshot_done=not n) for n in range(200)],
        Reply(request=1, result="yes"),
    )
    target = AttachedTarget(one.path)
    target._connection.welcome = msgspec.structs.replace(WELCOME, abilities=ABILITIES)
    wait_for(lambda: target._held)
    answers = Answers()
    target.dead_letters(answers)
    assert answers.one().result == "yes"
    target.close()


def test_a_missing_socket_and_other_files_are_explained(tmp_path):
    """With what to do instead."""
    with pytest.raises(TargetError, match="bus-console ps"):
        AttachedTarget(tmp_path / "none.sock")
    (tmp_path / "file").write_text("")
    with pytest.raises(TargetError, match="not a socket"):
        AttachedTarget(tmp_path / "file")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    with pytest.raises(TargetError, match="left behind"):
        AttachedTarget(tmp_path / "dead.sock")


def test_a_socket_of_another_user_is_not_even_tried(bus, monkeypatch):
    """Who knows what it would say."""
    uid = os.geteuid()
    path = sockets()[0]
    monkeypatch.setattr("console.target.connecting.os.geteuid", lambda: uid + 1)
    with pytest.raises(TargetError, match="belongs to another user"):
        AttachedTarget(path)


def test_a_process_that_waits_for_its_parent_does_not_run(monkeypatch):
    """A zombie is gone for all but its parent."""
    assert is_running(os.getpid())
    pid = os.posix_spawn("/bin/true", ["true"], {})
    wait_for(lambda: not is_running(pid))
    os.waitpid(pid, 0)
    assert not is_running(pid)
