"""A bus with a shop on it, its open door, and clients of that: reading ones, and one that may act."""

import pytest

from bus import Bus
from bus.attach.endpoint import Endpoint
from bus.attach.protocol import Hello
from bus.trace.recorder import Recorder
from tests.bus.attach.peer import Peer
from tests.bus.attach.shop import Shop


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def bus(shop):
    with Bus("shop") as bus:
        bus.add(shop)
        yield bus
        shop.leave.set()


@pytest.fixture
def recorder(bus):
    recorder = Recorder(bus, "full")
    yield recorder
    recorder.close()


@pytest.fixture
def place(tmp_path):
    return tmp_path


@pytest.fixture
def door_of(bus, recorder, place):
    opened = Endpoint(bus, recorder, place / "run")
    yield opened
    assert opened.close()


@pytest.fixture
def peers(door_of):
    made: list[Peer] = []

    def make(*messages):
        peer = Peer(door_of.path)
        made.append(peer)
        for message in messages:
            peer.say(message)
        return peer

    yield make
    for peer in made:
        peer.socket.close()


@pytest.fixture
def actor(peers):
    return peers(Hello(role="act"))
