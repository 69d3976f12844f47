"""Frames on a byte stream: how messages are packed, and how what arrives is taken apart without trusting it."""

import struct
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import structs

from bus.attach.protocol import (
    MAX_DEPTH,
    MAX_FRAME,
    Batch,
    ClientMessage,
    Message,
    ProtocolError,
    ServerMessage,
)

M = TypeVar("M")
_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()


def pack(message: Message) -> bytes:
    """MESSAGE as one frame.

    Raises:
        ProtocolError: it is longer than `MAX_FRAME`.
    """
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME:
        text = f"a message of {len(body)} bytes is more than a frame holds ({MAX_FRAME})"
        raise ProtocolError(text)
    return _LENGTH.pack(len(body)) + body


def fits(message: Message) -> bool:
    """Whether MESSAGE is short enough for a frame."""
    return len(_encoder.encode(message)) <= MAX_FRAME


def pack_batch(batch: Batch) -> Iterator[bytes]:
    """BATCH as one frame, or as several where it is too long for one; only the last one has `snapshot_done`.

    A record that alone is too long for a frame is left out and counted as dropped: none of ours is. Of calls in flight
    with very long arguments some are not listed.
    """
    body = _encoder.encode(batch)
    if len(body) <= MAX_FRAME:
        yield _LENGTH.pack(len(body)) + body
    elif batch.live and len(_encoder.encode(batch.live)) > MAX_FRAME // 2:  # each part has them
        yield from pack_batch(structs.replace(batch, live=batch.live[: len(batch.live) // 2]))
    else:
        for part in _halves(batch):
            yield from pack_batch(part)


def _halves(batch: Batch) -> Iterator[Batch]:
    """A batch that is too long in parts, each of them shorter: what explains other things comes before them."""
    parts = [name for name in ("records", "legends", "timings") if getattr(batch, name)]
    empty: dict[str, Any] = dict.fromkeys(parts, ())
    first = parts[0]
    items = getattr(batch, first)
    if len(parts) > 1:
        yield structs.replace(batch, **{**empty, first: items, "snapshot_done": False})
        yield structs.replace(batch, **{first: (), "anew": False})
    elif len(items) > 1:
        half = len(items) // 2
        yield structs.replace(batch, **{first: items[:half], "snapshot_done": False})
        yield structs.replace(batch, **{first: items[half:], "anew": False})
    else:
        yield structs.replace(batch, **{first: (), "dropped": batch.dropped + 1})


class Splitter(Generic[M]):
    """Takes a stream apart into messages of one of the two unions. Owned by the thread that reads."""

    def __init__(self, decoder: "msgspec.msgpack.Decoder[M]", *, check_depth: bool) -> None:
        """CHECK_DEPTH: refuse what is nested deeper than `MAX_DEPTH`, even where the types would skip it."""
        self._decoder = decoder
        self._check_depth = check_depth
        self._received = bytearray()

    def feed(self, data: bytes) -> Iterator[M]:
        """The messages that DATA, which came next, completes.

        Raises:
            ProtocolError: it is not what the other side may send; nothing more can be read from it.
        """
        self._received += data
        while len(self._received) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._received)
            if not 0 < length <= MAX_FRAME:
                text = f"a frame of {length} bytes was announced; 1 to {MAX_FRAME} are allowed"
                raise ProtocolError(text)
            end = _LENGTH.size + length
            if len(self._received) < end:
                return
            frame = bytes(self._received[_LENGTH.size : end])
            del self._received[:end]
            yield self._decode(frame)

    def _decode(self, frame: bytes) -> M:
        try:
            message = self._decoder.decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError) as error:
            text = f"a message cannot be understood: {error}"
            raise ProtocolError(text) from None
        if self._check_depth and depth_of(frame) > MAX_DEPTH:
            text = f"a message is nested more than {MAX_DEPTH} deep"
            raise ProtocolError(text)
        return message


def from_clients() -> Splitter[ClientMessage]:
    """For the endpoint."""
    return Splitter(msgspec.msgpack.Decoder(ClientMessage), check_depth=True)


def from_endpoint() -> Splitter[ServerMessage]:
    """For a client. Batches are long and typed all through: the decoder bounds their depth."""
    return Splitter(msgspec.msgpack.Decoder(ServerMessage), check_depth=False)


def depth_of(frame: bytes) -> int:
    """How deep the arrays and maps of a valid msgpack FRAME are nested; counting stops past `MAX_DEPTH`."""
    at = deepest = 0
    open_items: list[int] = []  # how many objects each container that we are in still lacks
    while at < len(frame) and deepest <= MAX_DEPTH:
        at, children = _step(frame, at)
        if children:
            open_items.append(children)
            deepest = max(deepest, len(open_items))
            continue
        while open_items:
            open_items[-1] -= 1
            if open_items[-1]:
                break
            open_items.pop()
    return deepest


def json_depth(text: str) -> int:
    """How deep the brackets of a JSON TEXT are nested."""
    depth = deepest = 0
    inside = escaped = False
    for char in text:
        if inside:
            inside = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            inside = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


# Of each first byte of a msgpack object that holds its own length: bytes to skip after it, objects inside.
_SHORT = {
    **dict.fromkeys((*range(128), *range(224, 256)), (0, 0)),
    **{0x80 + count: (0, 2 * count) for count in range(16)},
    **{0x90 + count: (0, count) for count in range(16)},
    **{0xA0 + length: (length, 0) for length in range(32)},
}
# Of the others: bytes to skip, or the size of the length field that says so.
_FIXED = {
    0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4,
    0xD3: 8, 0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
}  # fmt: skip
_LENGTH_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENSIONS = (0xC7, 0xC8, 0xC9)
_COUNT_BYTES = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def _step(frame: bytes, at: int) -> tuple[int, int]:
    """Past the head of the object AT: where to go on, and how many objects it holds."""
    first = frame[at]
    at += 1
    if first in _SHORT:
        skip, children = _SHORT[first]
        return at + skip, children
    if first in _COUNT_BYTES:
        size, times = _COUNT_BYTES[first]
        return at + size, int.from_bytes(frame[at : at + size], "big") * times
    if first in _LENGTH_BYTES:
        size = _LENGTH_BYTES[first]
        return at + size + int.from_bytes(frame[at : at + size], "big") + (first in _EXTENSIONS), 0
    return at + _FIXED.get(first, 0), 0
