"""Those who should not come in, and those who come in and behave badly: nobody else notices."""

import os
import socket
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from bus.attach import endpoint
from bus.attach.endpoint import Endpoint
from bus.attach.frames import pack
from bus.attach.protocol import (
    PROTOCOL,
    Batch,
    Cancel,
    ClientMessage,
    DeadLetters,
    Execute,
    Fire,
    Hello,
    Refused,
    Reply,
    SetLevel,
    Stacks,
    Welcome,
)
from bus.trace.records import Call, Problem
from tests.bus.attach.peer import Peer

NOBODY = 65_534


@pytest.fixture
def place():
    """A folder that others can reach, as no fixture of pytest's is."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


# ---- another user


def as_nobody(act):
    """What ACT gives when another user does it, or the name of its error, as text."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            said = str(act())
        except BaseException as error:
            said = type(error).__name__
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    return said


another_user = [
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),  # from 3.12 on: a fork beside threads
]


class TestAnotherUser:
    pytestmark = another_user

    def test_does_not_even_reach_the_socket(self, door_of):
        """The directory is closed to it."""
        assert as_nobody(lambda: Peer(door_of.path)) == "PermissionError"
        assert as_nobody(lambda: list(door_of.path.parent.iterdir())) == "PermissionError"

    def test_is_refused_by_the_kernels_word_where_the_files_let_it_through(self, door_of):
        """As when somebody has loosened them; what it says of itself does not matter."""
        door_of.path.parent.chmod(0o777)
        door_of.path.chmod(0o777)

        def knock():
            peer = Peer(door_of.path)
            try:
                peer.say(Hello(role="act", pid=1)).say(Execute(request=1, name="sell", args='["tea"]'))
            except ConnectionError:
                pass  # hung up before it had said all
            return peer.hear(Refused).reason, peer.is_hung_up()

        said = as_nobody(knock)
        assert "belongs to another user (uid 0, you are 65534)" in said
        assert "True" in said
        good = Peer(door_of.path).say(Hello(role="act"))
        reply = good.say(Execute(request=1, name="sell", args='["tea"]')).hear(Reply)
        assert {call.id for call in good.hear_records(Call)} == {reply.call}
        good.socket.close()


# ---- those who take up time and room


def good_one_is_served(peers):
    """Welcomed and answered, and how long that took."""
    began = time.monotonic()
    peer = peers(Hello(role="act"))
    peer.hear(Welcome)
    assert peer.say(Execute(request=1, name="sell", args='["tea"]')).hear(Reply).outcome == "ok"
    return time.monotonic() - began


@pytest.mark.parametrize(
    "said",
    [
        b"", b"\x00", pack(Hello(role="act"))[:-1], (2**20).to_bytes(4, "big") + b"\x81" * 50_000,
    ],
    ids=["silence", "a byte", "half a hello", "a part of a long frame"],
)  # fmt: skip
def test_a_hundred_who_say_half_of_something_delay_nobody(peers, said):
    """And are sent away when their time is over."""
    for _ in range(100):
        peers(said)
    assert good_one_is_served(peers) < 1.0
    assert "no hello" in peers(said).hear(Refused).reason


def test_a_hello_that_comes_byte_by_byte_is_a_hello(peers):
    """Slow is not wrong, as long as it is in time."""
    peer = peers()
    for byte in pack(Hello()):
        peer.say(bytes((byte,)))
    assert peer.hear(Welcome)


def test_four_gigabytes_are_not_even_waited_for(peers):
    """The length alone is refused; nothing is set aside for it."""
    peers(Hello()).hear(Welcome)
    tracemalloc.start()
    try:
        for _ in range(50):
            assert "4294967295 bytes was announced" in peers(b"\xff\xff\xff\xff" + b"x" * 100).hear(Refused).reason
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 << 20


def test_those_who_do_not_read_delay_neither_the_program_nor_the_others(bus, recorder, peers):
    """Twenty of them, with a MiB and more waiting for each; calls go on, and a good one is served."""
    for _ in range(20):
        peers(Hello()).hear(Welcome)
    for number in range(1_000):
        recorder.note(Problem(rule="r", at=number, text="x" * 2_000))
    recorder.flush(0.02)  # it waits so long for each of them
    began = time.monotonic()
    for _ in range(100):
        bus.execute_command("sell", "tea").result(5)
    assert time.monotonic() - began < 2.0
    assert good_one_is_served(peers) < 3.0


def test_closing_does_not_wait_for_one_after_the_other(bus, recorder, place):
    """Twenty stopped consoles keep a program from ending no longer than one."""
    opened = Endpoint(bus, recorder, place / "x")
    stopped = [Peer(opened.path).say(Hello()) for _ in range(20)]
    for peer in stopped:
        peer.hear(Welcome)
    for number in range(1_000):
        recorder.note(Problem(rule="r", at=number, text="x" * 2_000))
    recorder.flush(0.02)
    began = time.monotonic()
    assert opened.close(5)
    assert time.monotonic() - began < 3.0
    for peer in stopped:
        peer.socket.close()


def test_many_who_come_and_go_leave_nothing(door_of, peers):
    """No connection stays with the door."""
    for _ in range(200):
        Peer(door_of.path).socket.close()
    assert good_one_is_served(peers) < 2.0
    assert len(door_of._visitors) == 1


# ---- old and new


@pytest.mark.parametrize("version", [0, PROTOCOL + 1, 2**31])
def test_another_version_is_told_which_one_is_spoken(peers, version):
    """Both are named, and what to do."""
    reason = peers(Hello(protocol=version)).hear(Refused).reason
    assert f"speaks version {PROTOCOL}" in reason
    assert f"the console version {version}" in reason
    assert "use the same bus-console in both" in reason


def frame(**fields):
    body = msgspec.msgpack.encode(fields)
    return len(body).to_bytes(4, "big") + body


def test_what_a_newer_console_adds_to_a_message_is_passed_over(peers):
    """Within a version, fields may come."""
    peer = peers(frame(type="hello", role="act", colour="green", more={"deep": [1]}))
    peer.hear(Welcome)
    assert peer.say(frame(type="execute", request=1, name="sell", args='["x"]', urgent=True)).hear(Reply).call


def test_what_an_older_console_does_not_say_has_its_first_meaning(peers):
    """The shortest hello there is: version 1, reading only."""
    assert peers(frame(type="hello")).hear(Welcome).role == "read"


def test_a_message_of_a_newer_console_is_not_understood(peers):
    """The sentence says so; this is why a welcome lists what may be asked."""
    peer = peers(Hello(), frame(type="rewind", request=1))
    assert "cannot be understood" in peer.hear(Refused).reason
    assert peer.is_hung_up()


# ---- a reader that would rather act

ACTS = [
    kind(request=1, level="off") if kind is SetLevel else kind(request=1, name="sold", args='["tea"]')
    for kind in get_args(ClientMessage)
    if kind not in {Hello, Cancel, DeadLetters, Stacks}
]


def test_all_acts_are_known_here():
    """A new message is either named above as one that changes nothing, or tried below."""
    assert {type(one) for one in ACTS} == {Execute, Fire, SetLevel}


@pytest.mark.parametrize("hello", [Hello(), Hello(role="read"), Hello(role="read", client="root")])
def test_a_reader_that_tries_every_act_does_nothing_and_is_recorded_each_time(bus, recorder, peers, hello):
    """Refused one by one; its connection stays, and there is no call of a console."""
    peer = peers(hello)
    for act in ACTS:
        reply = peer.say(act).hear(Reply)
        assert (reply.outcome, reply.call, reply.error.type) == ("rejected", 0, "PermissionError")
    texts = []
    while len(texts) < len(ACTS):
        texts += [problem.text for problem in peer.hear_records(Problem)]
    for text, verb in zip(texts, ("execute sold", "fire sold", "set the level off"), strict=True):
        assert f"the console {os.geteuid()}:{os.getpid()} is attached for reading and tried to {verb}" in text
    assert recorder.level == "full"
    bus.execute_command("sell", "tea").result()
    assert [call.by for call in peer.hear_records(Call)] == ["code"]


def test_a_reader_cannot_cancel_what_another_console_started(bus, shop, peers):
    """A request has a number in its own connection only."""
    actor, reader = peers(Hello(role="act")), peers(Hello())
    actor.say(Execute(request=1, name="hold"))
    actor.hear(Batch, lambda batch: batch.in_flight == 1)
    reader.say(Cancel(request=1)).say(Execute(request=2, name="sell")).hear(Reply)
    shop.leave.set()
    assert actor.hear(Reply).outcome == "ok"


def test_a_reader_that_never_stops_trying_does_not_fill_the_record(peers):
    """Each of the first twenty, then whenever they have doubled, with their number."""
    peer = peers(Hello())
    for _ in range(200):
        peer.say(ACTS[0])
    for _ in range(200):
        peer.hear(Reply)
    texts = []
    while not (texts and "attempt 128" in texts[-1]):
        texts += [problem.text for problem in peer.hear_records(Problem)]
    assert len(texts) == 20 + 3
    assert "(its attempt 64)" in texts[-2]


def test_the_limits_are_those_that_were_decided():
    """Frames of a MiB, 32 deep, hello within two seconds, 64 consoles."""
    from bus.attach import protocol

    decided = (protocol.MAX_FRAME, protocol.MAX_DEPTH, endpoint.HELLO_SECONDS, endpoint.MAX_CLIENTS)
    assert decided == (1 << 20, 32, 2.0, 64)


def test_the_socket_has_a_name_in_the_file_system(door_of):
    """An abstract one would have no owner and no mode."""
    assert door_of._listener.family == socket.AF_UNIX
    assert not door_of._listener.getsockname().startswith("\0")
