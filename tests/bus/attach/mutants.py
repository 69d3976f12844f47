"""Frames that were good once: every kind of message, with bytes flipped, cut, repeated, put in and swapped."""

import random
from collections.abc import Iterator

import msgspec

from bus.attach.frames import from_clients, from_endpoint, pack
from bus.attach.protocol import (
    Batch,
    Cancel,
    DeadLetters,
    Execute,
    Fire,
    Hello,
    ProtocolError,
    Refused,
    Reply,
    SetLevel,
    Stacks,
    Welcome,
)
from bus.trace.records import Call, Depth, Error, Session

SESSION = Session(
    session="s", pid=1, program="shop", python="3.11", start_monotonic=1, start_unix=1, level="full"
)  # fmt: skip
REQUESTS = (
    Execute(request=1, name="sell", args='["tea", {"a": [1, 2.5, null]}]', kwargs='{"count": "3"}'),
    Fire(request=2, name="sold", args='["tea", 2]'),
    Cancel(request=1),
    SetLevel(request=3, level="times"),
    Stacks(request=4, lanes=(1, 2), calls=(300, 70_000)),
    DeadLetters(request=5),
    Hello(role="act", client="me"),
)
ANSWERS = (
    Welcome(session=SESSION, role="act", abilities=("stacks",)),
    Batch(
        at=5,
        records=(Depth(service="s", at=1, depth=1),),
        live=(Call(id=1, root=1, kind="command", name="x", queued=1),),
    ),
    Reply(request=1, call=7, result="'x'", value='"x"', error=Error("ValueError", "no")),
    Refused(reason="no"),
)  # fmt: skip
_TELLING = bytes((0x00, 0x80, 0x90, 0xC1, 0xC4, 0xC9, 0xCF, 0xD3, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xFF))
"""First bytes of what msgpack has, and of what it has not."""


def mutants(messages: tuple[object, ...], seed: int) -> Iterator[bytes]:
    """Frames without end, the same for the same SEED; most have a length that fits what they hold."""
    dice = random.Random(seed)
    bodies = [pack(message)[4:] for message in messages]
    while True:
        body = bytearray(dice.choice(bodies))
        for _ in range(dice.choice((1, 1, 2, 5))):
            _mutate(body, dice, bodies)
        length = len(body) if dice.random() < 0.98 else dice.choice((0, len(body) + 1, 1 << 20, 2**32 - 1))
        yield length.to_bytes(4, "big") + bytes(body)


def _mutate(body: bytearray, dice: random.Random, bodies: list[bytes]) -> None:
    at = dice.randrange(len(body) + 1)
    end = min(len(body), at + dice.choice((1, 1, 2, 8)))
    how = dice.randrange(6)
    if how == 0:
        body[at:end] = bytes(byte ^ 1 << dice.randrange(8) for byte in body[at:end])
    elif how == 1:
        del body[at:end]
    elif how == 2:
        body[at:at] = body[at:end] * dice.choice((2, 50))
    elif how == 3:
        body[at:end] = dice.choice(_TELLING).to_bytes(1, "big") * dice.choice((1, 4, 40))
    elif how == 4:
        body[at:] = dice.choice(bodies)[dice.randrange(10) :]
    else:
        body[at:end] = dice.randbytes(end - at)


def count_refused(frames: int, seed: int) -> int:
    """How many of so many frames, from either side, are refused; whatever else happens to one is raised."""
    refused = 0
    for messages, splitter_of in ((REQUESTS, from_clients), (ANSWERS, from_endpoint)):
        source = mutants(messages, seed)
        splitter = splitter_of()
        for _ in range(frames // 2):
            try:
                understood = list(splitter.feed(next(source)))
            except ProtocolError:
                refused, understood = refused + 1, []
            assert all(isinstance(message, msgspec.Struct) for message in understood)
            if not understood:
                splitter = splitter_of()  # what follows is not to be taken for the rest of this one
    return refused
