"""The door of a system without Unix sockets, simulated: a port of this machine and a token."""

import os
import socket
import stat
import time

import pytest

from bus import Bus
from bus.attach import loopback
from bus.attach.door import doors, is_stale, listen
from bus.attach.endpoint import Endpoint
from bus.attach.frames import from_endpoint, pack
from bus.attach.protocol import Execute, Hello, Refused, Reply, Welcome
from bus.trace.recorder import Recorder
from bus.trace.records import Call
from tests.bus.attach.peer import Peer
from tests.bus.attach.shop import Shop
from tests.bus.attach.unixless import hide_here


@pytest.fixture
def door_of(monkeypatch, tmp_path):
    hide_here(monkeypatch)
    with Bus("shop") as bus:
        bus.add(Shop())
        recorder = Recorder(bus, "full")
        opened = Endpoint(bus, recorder, tmp_path / "run")
        yield opened
        assert opened.close()
        recorder.close()


class TcpPeer(Peer):
    def __init__(self, path):
        self.address = loopback.read(path)
        self.socket = socket.create_connection((loopback.HOST, self.address.port), timeout=10)
        self.splitter = from_endpoint()
        self.messages = []


@pytest.fixture
def peers(door_of):
    made = []

    def make():
        made.append(TcpPeer(door_of.path))
        return made[-1]

    yield make
    for one in made:
        one.socket.close()


def test_the_token_is_ours_alone(door_of):
    """A 0600 file in a 0700 directory, named after the bus and the process; 256 random bits."""
    assert door_of.path.name == f"shop-{os.getpid()}.tcp"
    assert stat.S_IMODE(door_of.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(door_of.path.parent.stat().st_mode) == 0o700
    assert len(bytes.fromhex(loopback.read(door_of.path).token)) == 32


def test_only_this_machine_is_listened_to(door_of):
    """Not the network."""
    assert door_of._listener.getsockname()[0] == "127.0.0.1"


def test_two_doors_have_two_tokens(door_of, tmp_path):
    """And two ports, and two names."""
    other = listen(tmp_path / "run", "shop")
    with other.listener:
        assert other.path.name == f"shop-{os.getpid()}-2.tcp"
        assert loopback.read(other.path) != loopback.read(door_of.path)


def test_who_knows_the_token_is_let_in_and_acts_by_its_own_name(peers):
    """The kernel does not say the pid, so the console does; it is us."""
    peer = peers()
    peer.say(Hello(role="act", token=peer.address.token, pid=4711)).hear(Welcome)
    reply = peer.say(Execute(request=1, name="sell", args='["tea"]')).hear(Reply)
    assert reply.outcome == "ok"
    (call,) = [call for call in peer.hear_records(Call) if call.id == reply.call]
    assert call.client == f"{os.geteuid()}:4711"


@pytest.mark.parametrize("token", ["", "0" * 64, "é", "x" * 100_000])
def test_who_does_not_know_it_is_refused(peers, token):
    """In one sentence that does not hold it; before it learns anything of the program."""
    peer = peers()
    reason = peer.say(Hello(role="act", token=token)).hear(Refused).reason
    assert "the token is not the one" in reason
    assert peer.address.token not in reason
    assert peer.is_hung_up()


def test_the_token_is_compared_in_constant_time(peers, monkeypatch):
    """So that nobody finds it out letter by letter."""
    asked = []
    monkeypatch.setattr("hmac.compare_digest", lambda *both: asked.append(both) or False)
    peer = peers()
    peer.say(Hello(token="guess")).hear(Refused)
    assert asked == [(b"guess", peer.address.token.encode())]


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /x HTTP/1.1\r\n\r\n" + pack(Hello()),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"\x00\x00\x00\x02\xff\xff",
        pack(Execute(request=1, name="sell")),
    ],
)
def test_a_browser_and_whatever_else_is_no_console_gets_no_word(peers, said):
    """Closed at once, long before the time for a hello is over, and with nothing that a page could read."""
    began = time.monotonic()
    peer = peers()
    peer.say(said)
    try:
        assert peer.socket.recv(100) == b""
    except ConnectionResetError:
        pass  # what it said was not even read to the end
    assert time.monotonic() - began < 1.5
    good = peers()
    assert good.say(Hello(token=good.address.token)).hear(Welcome)


def test_the_file_of_a_dead_program_is_removed(door_of):
    """Nobody listens on its port; that of a living one stays."""
    dead = listen(door_of.path.parent, "dead")
    dead.listener.close()
    assert is_stale(dead.path)
    again = listen(door_of.path.parent, "again")
    with again.listener:
        assert doors(door_of.path.parent) == sorted([door_of.path, again.path])


@pytest.mark.parametrize("text", ["", "{}", '{"port":0,"token":""}', '{"port":80}', "\x00" * 10_000, '"x"'])
def test_a_file_that_says_something_else_is_no_door(tmp_path, text):
    """It is neither read as one nor removed."""
    path = tmp_path / "x.tcp"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"x\.tcp"):
        loopback.read(path)
    assert not is_stale(path)


def test_closing_removes_the_file(door_of):
    """With the token in it."""
    assert door_of.close()
    assert not door_of.path.exists()
