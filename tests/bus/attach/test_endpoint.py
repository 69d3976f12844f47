import json
import os
import socket
import threading
import time

import pytest

from bus import Service
from bus.attach import endpoint
from bus.attach.client import Client
from bus.attach.endpoint import Endpoint
from bus.attach.frames import from_endpoint, pack
from bus.attach.protocol import MAX_FRAME, Batch, Cancel, Execute, Fire, Hello, Refused, Reply, SetLevel, Welcome
from bus.context import Timed
from bus.runtime import REAL
from bus.trace.chunk import Chunk
from bus.trace.records import Call, Depth, Entry, Lane, Problem, State
from tests.bus.attach.peer import Peer
from tests.support import wait_for


def test_a_good_hello_is_welcomed_with_a_snapshot(bus, recorder, peers):
    """Session, then lanes, entries, states and the past; the last batch of it says so."""
    bus.execute_command("sell", "tea").result()
    recorder.flush()
    peer = peers(Hello())
    welcome = peer.hear(Welcome)
    assert (welcome.session.program, welcome.session.pid, welcome.role) == ("shop", os.getpid(), "read")
    records = []
    while not (batch := peer.hear(Batch)).snapshot_done:
        records += batch.records
    kinds = [type(record) for record in records]
    assert kinds.index(Lane) < kinds.index(Entry) < kinds.index(State) < kinds.index(Call)
    assert {entry.name for entry in records if isinstance(entry, Entry)} == {"sell", "fail", "hold", "sold"}


def test_what_happens_then_follows_in_batches(bus, peers):
    """With what recording costs, and the calls in flight."""
    peer = peers(Hello())
    peer.hear(Batch, lambda batch: batch.snapshot_done)
    bus.execute_command("sell", "tea").result()
    assert [call.args for call in peer.hear_records(Call)] == ["'tea'"]
    bus.execute_command("hold")
    batch = peer.hear(Batch, lambda batch: batch.in_flight == 1)
    assert [(call.name, call.outcome) for call in batch.live] == [("hold", None)]
    assert 0 <= batch.cost <= 1


def test_who_waits_in_a_long_queue_is_counted(bus, peers):
    """A console lists some of them, and every call that runs."""
    bus.add(Service("late"))
    bus.register_command("late.hold", lambda: bus.execute_command("hold").result(0.5), service="late")
    for _ in range(1_000):
        bus.execute_command("hold")
    bus.execute_command("late.hold")
    peer = peers(Hello())
    batch = peer.hear(Batch, lambda batch: batch.in_flight == 1_002)
    assert [call.name for call in batch.live if call.started] == ["hold", "hold", "late.hold"]
    assert len(batch.live) == 500


def test_executing_answers_with_the_result(actor):
    """As text, as JSON, without secrets; values become what the annotations say."""
    actor.say(Execute(request=7, name="sell", args='["tea"]', kwargs='{"count": "3"}'))
    reply = actor.hear(Reply)
    assert (reply.request, reply.outcome, reply.error) == (7, "ok", None)
    assert json.loads(reply.value) == {"item": "tea", "count": 3, "token": "‹redacted›"}
    assert reply.result == "{'item': 'tea', 'count': 3, 'token': ‹redacted›}"


def test_an_act_is_recorded_with_who_did_it(actor):
    """By the console, and which: uid and pid as the kernel says."""
    actor.say(Execute(request=1, name="sell", args='["tea"]'))
    reply = actor.hear(Reply)
    (call,) = [call for call in actor.hear_records(Call) if call.id == reply.call]
    assert (call.by, call.client) == ("console", f"{os.geteuid()}:{os.getpid()}")


def test_firing_is_recorded_with_who_did_it(actor):
    """The delivery to a listener, too."""
    reply = actor.say(Fire(request=1, name="sold", args='["tea"]')).hear(Reply)
    calls = {call.id: call for call in actor.hear_records(Call)}
    assert (calls[reply.call].by, calls[reply.call].client) == ("console", f"{os.geteuid()}:{os.getpid()}")


def test_no_act_is_without_a_trace_where_nothing_is_recorded(actor):
    """That a console turned recording off, and what it asked for then."""
    actor.say(SetLevel(request=1, level="off")).hear(Reply)
    actor.say(Execute(request=2, name="sell", args='["tea"]')).hear(Reply)
    actor.say(Fire(request=3, name="sold", args='["tea"]')).hear(Reply)
    actor.say(SetLevel(request=4, level="times")).hear(Reply)
    actor.say(Execute(request=5, name="sell", args='["tea"]')).hear(Reply)
    problems = []
    while len(problems) < 4:
        problems += actor.hear_records(Problem)
    who = f"the console {os.geteuid()}:{os.getpid()}"
    assert [(problem.rule, problem.text) for problem in problems] == [
        ("level set", f"{who} set the level of recording to off"),
        ("unrecorded act", f"{who} asked to execute sell while the level of recording is off"),
        ("unrecorded act", f"{who} asked to fire sold while the level of recording is off"),
        ("level set", f"{who} set the level of recording to times"),
    ]


def test_a_failure_is_an_answer_too(actor):
    """With type, message and traceback, and without the value of a secret argument."""
    actor.say(Execute(request=1, name="fail", args='["hunter2"]'))
    reply = actor.hear(Reply)
    assert reply.outcome == "error"
    assert reply.error is not None
    assert (reply.error.type, reply.error.message) == ("ValueError", "bad ‹redacted›")
    assert "in Shop.fail" in reply.error.traceback
    assert "hunter2" not in repr(reply)


@pytest.mark.parametrize(
    ("request_", "type_", "text"),
    [
        (Execute(request=1, name="nope"), "CommandNotFound", "no command is called 'nope'"),
        (Execute(request=1, name="sell"), "BadArguments", "item is missing"),
        (Execute(request=1, name="sell", kwargs='{"item": "x", "count": "many"}'), "BadArguments", "count"),
        (Execute(request=1, name="sell", args="[1"), "ProtocolError", "not JSON"),
        (Execute(request=1, name="sell", args='{"a": 1}'), "ProtocolError", "not JSON"),
        (Execute(request=1, name="sell", args="[" * 33 + "]" * 33), "ProtocolError", "nested more than 32"),
        (Fire(request=1, name="sold", kwargs="[]"), "ProtocolError", "not JSON"),
    ],
)
def test_what_cannot_be_done_is_answered_with_one_sentence(actor, request_, type_, text):
    """No traceback for a mistake of the one who asks, and the connection goes on."""
    actor.say(request_)
    reply = actor.hear(Reply)
    assert reply.error is not None
    assert reply.error.type.endswith(type_)
    assert text in reply.error.message
    assert (reply.outcome, reply.error.traceback) == ("rejected", "")
    assert actor.say(Execute(request=2, name="sell", args='["x"]')).hear(Reply).outcome == "ok"


def test_firing_answers_with_the_receivers(actor):
    """In order, by callback and service."""
    reply = actor.say(Fire(request=3, name="sold", args='["tea", 2]')).hear(Reply)
    assert (reply.request, reply.receivers, reply.error) == (3, ("Shop.on_sold on shop",), None)
    assert reply.call > 0


def test_a_call_in_the_queue_can_be_cancelled(actor):
    """The answer to its request says so."""
    for request in (1, 2):
        actor.say(Execute(request=request, name="hold"))
    actor.hear(Batch, lambda batch: sum(bool(call.started) for call in batch.live) == 2)
    actor.say(Execute(request=3, name="hold"))
    actor.hear(Batch, lambda batch: batch.in_flight == 3)
    reply = actor.say(Cancel(request=3)).hear(Reply)
    assert (reply.request, reply.outcome) == (3, "cancelled")
    assert actor.say(Cancel(request=99)).say(Execute(request=4, name="nope")).hear(Reply).request == 4


def test_the_level_can_be_set_from_outside(actor, recorder):
    """While the program runs."""
    assert actor.say(SetLevel(request=1, level="times")).hear(Reply).result == "times"
    assert recorder.level == "times"


@pytest.mark.parametrize(
    "request_",
    [Execute(request=5, name="sell", args='["x"]'), Fire(request=5, name="sold"), SetLevel(request=5, level="off")],
)
def test_a_reader_that_tries_to_act_is_told_no_and_reported(bus, recorder, peers, request_):
    """Nothing is done; the attempt is a problem with the client's pid."""
    peer = peers(Hello(role="read"))
    reply = peer.say(request_).hear(Reply)
    assert reply.error is not None
    assert "reading only" in reply.error.message
    (problem,) = peer.hear_records(Problem)
    assert problem.rule == "refused act"
    assert f"{os.geteuid()}:{os.getpid()}" in problem.text
    assert recorder.level == "full"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "a frame of"),
        ((MAX_FRAME + 1).to_bytes(4, "big"), "a frame of"),
        (b"\x00\x00\x00\x02\xff\xff", "cannot be understood"),
        (Execute(request=1, name="sell"), "first message must be hello"),
        (Hello(protocol=99), "use the same bus-console"),
    ],
)
def test_bad_input_gets_one_clear_sentence_and_the_end(door_of, peers, said, reason):
    """And the next client is served as if nothing had been."""
    bad = peers()
    bad.say(said)
    assert reason in bad.hear(Refused).reason
    assert bad.is_hung_up()
    assert peers(Hello()).hear(Welcome)


def test_bad_input_after_a_good_hello_ends_only_that_connection(peers, actor):
    """The refusal comes after what was on its way."""
    other = peers(Hello())
    actor.hear(Welcome)
    actor.say(b"\x00\x00\x00\x01\xc1")
    assert "cannot be understood" in actor.hear(Refused).reason
    assert actor.is_hung_up()
    assert other.hear(Batch, lambda batch: batch.snapshot_done)


def test_one_who_says_nothing_is_sent_away(peers, monkeypatch):
    """After two seconds; here after less."""
    monkeypatch.setattr(endpoint, "HELLO_SECONDS", 0.05)
    silent = peers()
    assert "no hello" in silent.hear(Refused).reason
    assert silent.is_hung_up()


def test_a_hundred_silent_clients_do_not_delay_a_good_one(peers):
    """Nor take its place."""
    for _ in range(100):
        peers()
    began = time.monotonic()
    peers(Hello()).hear(Welcome)
    assert time.monotonic() - began < 1.0


def test_more_consoles_than_allowed_are_told(peers, monkeypatch):
    """Those that are attached stay; a place that becomes free can be taken."""
    monkeypatch.setattr(endpoint, "MAX_CLIENTS", 2)
    attached = [peers(Hello()) for _ in range(2)]
    for peer in attached:
        peer.hear(Welcome)
    assert "2 consoles are attached already" in peers(Hello()).hear(Refused).reason
    attached[0].socket.close()

    def let_in():
        peer = peers(Hello())
        data = peer.socket.recv(1 << 16)
        return isinstance(next(iter(peer.splitter.feed(data))), Welcome)

    wait_for(let_in)


def test_another_user_is_refused(peers, monkeypatch):
    """By what the kernel says, not by what the client says."""
    monkeypatch.setattr(endpoint, "peer", lambda connection: (os.geteuid() + 1, 1))
    stranger = peers()
    assert "another user" in stranger.hear(Refused).reason
    assert stranger.is_hung_up()


def test_a_client_that_does_not_read_loses_batches_and_they_are_counted(bus, recorder, tmp_path):
    """The program and the recorder go on; when it reads again it learns how many it lost."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    client = Client(ours, 0, 0, "read", REAL)
    depths = [Depth(service="s", at=n, depth=n) for n in range(2_000)]
    for number in range(60):
        client.offer(Chunk(number, depths))
    splitter, batches = from_endpoint(), []
    theirs.settimeout(10)

    def read_until(done):
        while not done():
            batches.extend(splitter.feed(theirs.recv(1 << 16)))

    read_until(lambda: sum(len(batch.records) for batch in batches) >= 24 * 2_000)
    client.offer(Chunk(99, ()))
    read_until(lambda: batches[-1].at == 99)
    received = sum(len(batch.records) for batch in batches)
    assert batches[-1].dropped == 60 * 2_000 - received > 0
    client.hang_up(1)
    ours.close()
    theirs.close()


def told(peer, enough):
    """The timings and legends that PEER hears until there are ENOUGH, and which batches took legends back."""
    timings, legends, anew = [], [], []
    while not enough(timings):
        batch = peer.hear(Batch)
        assert not [one for one in batch.records if isinstance(one, Call)]
        timings += batch.timings
        legends += batch.legends
        anew.append(batch.anew)
    return timings, legends, anew


def test_who_understands_timings_gets_calls_as_such(bus, recorder, peers):
    """Those of the past and those that follow; what their keys stand for is said once, however often they come."""
    recorder.set_level("times")
    bus.execute_command("sell", "tea").result()
    recorder.flush()
    peer = peers(Hello(timings=True))
    past, legends, _ = told(peer, lambda timings: len(timings) >= 1)
    bus.execute_command("sell", "tea").result()
    later, no_more, _ = told(peer, lambda timings: len(timings) >= 1)
    (legend,) = [one for one in legends if one.name == "sell"]
    assert {one.key for one in (*past, *later) if isinstance(one, Timed)} == {legend.key}
    assert (legend.kind, legend.service) == ("command", "shop")
    assert not [one for one in no_more if one.name == "sell"]


def test_what_failed_comes_as_a_record_to_everybody(bus, recorder, peers):
    """A timing does not tell why."""
    recorder.set_level("times")
    peer = peers(Hello(timings=True))
    bus.execute_command("fail", "x").exception()
    assert [call.name for call in peer.hear_records(Call)] == ["fail"]


def test_legends_are_taken_back_when_there_are_too_many(bus, recorder, peers, monkeypatch):
    """A program may register without end; a console needs to keep as many as were told since."""
    monkeypatch.setattr("bus.attach.client._MAX_TOLD", 3)
    recorder.set_level("times")
    peer = peers(Hello(timings=True))
    peer.hear(Batch, lambda batch: batch.snapshot_done)  # which may be larger than what a socket takes unread
    known, taken_back = {}, 0
    for number in range(9):
        bus.register_command(f"c{number}", int)
        bus.execute_command(f"c{number}").result()
        recorder.flush()
        timings, legends, anew = told(peer, lambda timings: any(isinstance(one, Timed) for one in timings))
        if any(anew):
            known, taken_back = {}, taken_back + 1
        known |= {legend.key: legend.name for legend in legends}
        assert [known[one.key] for one in timings if isinstance(one, Timed)] == [f"c{number}"]
    assert taken_back >= 2


def test_a_client_that_only_asks_is_sent_away(peers, actor, monkeypatch):
    """One that never reads its answers must not fill the program's memory."""
    monkeypatch.setattr("bus.attach.client.MAX_WAITING", 50)
    actor.hear(Welcome)
    requests = b"".join(pack(Execute(request=n, name="nope")) for n in range(200_000))
    try:
        actor.say(requests)
    except ConnectionError:
        pass  # sent away before all of it was said
    assert actor.is_hung_up()


def test_closing_leaves_nothing(bus, recorder, tmp_path):
    """The socket, the threads and the connections are gone; clients were told."""
    before = set(threading.enumerate())
    opened = Endpoint(bus, recorder, tmp_path / "x")
    peers = [Peer(opened.path).say(Hello()) for _ in range(3)] + [Peer(opened.path)]
    for peer in peers[:3]:
        peer.hear(Welcome)
        # The threads of other tests may be told of at such length that a goodbye would wait for who does not read.
        peer.hear(Batch, lambda batch: batch.snapshot_done)
    assert opened.close()
    assert opened.close()
    for peer in peers[:3]:
        assert "closed" in peer.hear(Refused).reason
    assert all(peer.is_hung_up() for peer in peers)
    assert not opened.path.exists()
    wait_for(lambda: set(threading.enumerate()) <= before)
    for peer in peers:
        peer.socket.close()


def test_closing_does_not_wait_for_one_who_does_not_read(bus, recorder, tmp_path):
    """A stopped console must not keep the program from ending."""
    opened = Endpoint(bus, recorder, tmp_path / "x")
    stopped = Peer(opened.path).say(Hello())
    stopped.hear(Welcome)
    for number in range(2_000):
        recorder.note(Problem(rule="r", at=number, text="x" * 2_000))
    recorder.flush(0.2)
    began = time.monotonic()
    assert opened.close(5)
    assert time.monotonic() - began < 3
    stopped.socket.close()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # from 3.12 on: a fork beside threads
def test_a_forked_child_does_not_keep_connections_open(bus, recorder, tmp_path):
    """Or nobody would notice that the program was killed."""
    opened = Endpoint(bus, recorder, tmp_path / "x")
    peer = Peer(opened.path).say(Hello())
    peer.hear(Welcome)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    opened.close()
    assert peer.is_hung_up()
    os.close(writing)
    os.waitpid(pid, 0)
    os.close(reading)
    peer.socket.close()


def test_a_program_out_of_file_descriptors_keeps_its_endpoint(door_of, peers, monkeypatch):
    """It pauses accepting, and goes on when there are some again."""
    monkeypatch.setattr(endpoint, "_PAUSE", 20_000_000)
    failures = [OSError(24, "Too many open files")] * 3

    class Failing:
        def __init__(self, listener):
            self.listener = listener

        def fileno(self):
            return self.listener.fileno()

        def accept(self):
            if failures:
                raise failures.pop()
            return self.listener.accept()

        def close(self):
            self.listener.close()

    listener, failing = door_of._listener, Failing(door_of._listener)
    door_of._selector.modify(listener, 1)
    door_of._selector.unregister(listener)
    door_of._listener = failing
    door_of._selector.register(failing, 1)
    door_of._rope.send(b"!")
    peer = peers(Hello())
    assert peer.hear(Welcome)
    assert failures == []


def test_frames_of_any_batch_stay_below_the_limit(bus, recorder, peers):
    """A snapshot of much text is cut into portions."""
    for number in range(3_000):
        recorder.note(Problem(rule="r", at=number, text="x" * 2_000))
    recorder.flush()
    peer = peers(Hello())
    seen = 0
    while seen < 3_000:
        seen += sum(isinstance(record, Problem) for record in peer.hear(Batch).records)
