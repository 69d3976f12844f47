import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.attach.frames import depth_of, from_clients, from_endpoint, json_depth, pack, pack_batch
from bus.attach.protocol import MAX_FRAME, Batch, Execute, Fire, Hello, ProtocolError, Reply
from bus.context import Delivered, Fired, Timed, Waited
from bus.trace.records import Call, Depth, Output
from bus.trace.timings import Legend


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


MESSAGES = [Hello(role="act", client="me"), Execute(request=1, name="x", args="[1]"), Fire(request=2, name="é")]


@given(st.lists(st.sampled_from(MESSAGES)), st.integers(1, 60))
def test_messages_come_out_as_they_went_in(messages, size):
    """However the stream is cut into pieces."""
    stream = b"".join(map(pack, messages))
    splitter = from_clients()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [message for piece in pieces for message in splitter.feed(piece)] == messages


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_protocol_error(data):
    """Whatever is sent, to either side."""
    for splitter in (from_clients(), from_endpoint()):
        for stream in (data, frame(data)):
            try:
                list(splitter.feed(stream))
            except ProtocolError:
                break


@pytest.mark.parametrize("length", [0, MAX_FRAME + 1, 2**32 - 1])
def test_a_length_beyond_the_limit_is_refused_at_once(length):
    """Before a byte of it is kept."""
    with pytest.raises(ProtocolError, match="was announced"):
        list(from_clients().feed(length.to_bytes(4, "big")))


@pytest.mark.parametrize(
    "body",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x80",
        msgspec.msgpack.encode({"type": "welcome"}),
        msgspec.msgpack.encode({"type": "execute", "request": "1", "name": "x"}),
        msgspec.msgpack.encode({"type": "execute", "request": -1, "name": "x"}),
        msgspec.msgpack.encode({"type": "hello", "role": "root"}),
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\x00\x0f\xff\xff" + b"\x80" * 1_000,
        b"\x91" * 100_000,
        b"\x81\xa1x" * 100_000,
    ],
)
def test_what_is_no_message_is_refused(body):
    """Other types, other protocols, containers that promise millions."""
    with pytest.raises(ProtocolError):
        list(from_clients().feed(frame(body)))


@pytest.mark.parametrize(("depth", "fine"), [(30, True), (31, True), (32, False), (900, False), (5_000, False)])
def test_unknown_fields_may_not_be_nested_without_end(depth, fine):
    """The types skip a field of a newer version, but not at any depth: at most 32, the message itself counted."""
    body = b"\x82\xa4type\xa5hello\xa3new" + b"\x91" * depth + b"\x90"[: depth < 0] + b"\xc0"
    if fine:
        assert list(from_clients().feed(frame(body))) == [Hello()]
    else:
        with pytest.raises(ProtocolError):
            list(from_clients().feed(frame(body)))


def _depth(value):
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0) if value else 0
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0) if value else 0
    return 0


nested = st.recursive(
    st.none() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=40), inner, max_size=20),
    max_leaves=40,
)


@given(nested)
def test_depth_is_counted_right(value):
    """For every kind of object that msgpack knows; empty containers hold nothing to go down into."""
    assert depth_of(msgspec.msgpack.encode(value)) == min(_depth(value), 33)


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_depth_of_json_is_counted_right(value):
    """Brackets and quotes inside strings do not count."""

    def depth(one):
        if isinstance(one, dict):
            return 1 + max(map(depth, one.values()), default=0)
        return 1 + max(map(depth, one), default=0) if isinstance(one, list) else 0

    assert json_depth(json.dumps(value)) == depth(value)


def test_a_message_too_long_for_a_frame_cannot_be_packed():
    """The one who made it learns of it."""
    with pytest.raises(ProtocolError, match="more than a frame holds"):
        pack(Reply(request=1, value="x" * MAX_FRAME))


def test_a_long_batch_becomes_several_frames():
    """Nothing is lost, the order stays, and only the last one ends the snapshot."""
    records = tuple(Output(at=n, stream="stdout", text="x" * 2_000) for n in range(3_000))
    frames = list(pack_batch(Batch(at=1, records=records, snapshot_done=True, in_flight=3)))
    assert max(map(len, frames)) <= MAX_FRAME + 4
    batches = [batch for one in frames for batch in from_endpoint().feed(one)]
    assert tuple(record for batch in batches for record in batch.records) == records
    assert [batch.snapshot_done for batch in batches] == [False] * (len(batches) - 1) + [True]
    assert len(batches) > 5


def test_what_alone_is_too_long_is_dropped_and_counted():
    """A record of a MiB, or calls in flight with too much text."""
    huge = Output(at=1, stream="log", text="x" * MAX_FRAME)
    small = Depth(service="s", at=1, depth=1)
    frames = list(pack_batch(Batch(at=1, records=(small, huge, small), dropped=2)))
    batches = [batch for one in frames for batch in from_endpoint().feed(one)]
    assert [record for batch in batches for record in batch.records] == [small, small]
    assert max(batch.dropped for batch in batches) == 3
    live = tuple(Call(id=n, root=n, kind="command", name="x" * 3_000, queued=1) for n in range(500))
    assert all(len(one) <= MAX_FRAME + 4 for one in pack_batch(Batch(at=1, live=live)))


def as_sent(batches):
    """Every field of every batch, for what is equal only to itself, too."""
    return [msgspec.to_builtins(batch) for batch in batches]


def test_timings_come_out_as_they_went_in():
    """All four sorts, short as they are."""
    event = Fired(1, 2, 3, 4, 5, 6, 7)
    timings = (
        event, Timed(2, (1, 2, 3, 4), 5, 6, 7, 8, 9, 10), Delivered(3, event, 5, 6, 7, 8), Waited(1, 2, 3, 4, 5)
    )  # fmt: skip
    batch = Batch(at=9, legends=(Legend(5, "command", "é", "s", 1),), timings=timings, anew=True)
    (frame_of,) = pack_batch(batch)
    assert as_sent(from_endpoint().feed(frame_of)) == as_sent([batch])


@pytest.mark.parametrize("number", [-1, 1 << 63])
def test_a_timing_with_numbers_that_no_column_holds_is_refused(number):
    """They come from another program."""
    (frame_of,) = pack_batch(Batch(at=9, timings=(Waited(1, 2, 3, 4, number),)))
    with pytest.raises(ProtocolError):
        list(from_endpoint().feed(frame_of))


def test_a_batch_that_is_too_long_explains_before_it_refers():
    """Records, then legends, then timings; each once, however many frames it takes; legends are taken back first."""
    name = "n" * 400
    records = tuple(Output(at=at, stream="stdout", text="x" * 2_000) for at in range(1_000))
    keys = range(3_000)
    legends = tuple(Legend(key, "command", name, name, key) for key in keys)
    timings = tuple(Timed(key, ((1 << 60),) * 4, key, *(1 << 60,) * 5) for key in keys) * 5
    batch = Batch(at=9, records=records, legends=legends, timings=timings, anew=True, snapshot_done=True)
    frames = list(pack_batch(batch))
    assert len(frames) > 3
    assert max(map(len, frames)) <= MAX_FRAME + 4
    parts = list(from_endpoint().feed(b"".join(frames)))
    assert [part.anew for part in parts] == [True] + [False] * (len(parts) - 1)
    assert [part.snapshot_done for part in parts] == [False] * (len(parts) - 1) + [True]
    assert tuple(record for part in parts for record in part.records) == records
    assert tuple(legend for part in parts for legend in part.legends) == legends
    assert [one.key for part in parts for one in part.timings] == [one.key for one in timings]
    known = set()
    for part in parts:
        known |= {legend.key for legend in part.legends}
        assert {one.key for one in part.timings} <= known


def test_very_long_calls_in_flight_cost_no_record():
    """Some of them are not listed then; what happened is told."""
    live = tuple(Call(id=n, root=n, kind="command", name="x", queued=1, args="a" * 2_048) for n in range(1, 600))
    records = tuple(Output(at=at, stream="stdout", text="x" * 100) for at in range(50))
    parts = [part for one in pack_batch(Batch(at=9, records=records, live=live)) for part in from_endpoint().feed(one)]
    assert tuple(record for part in parts for record in part.records) == records
    assert {part.dropped for part in parts} == {0}
    assert parts[-1].live
    assert parts[-1].live == live[: len(parts[-1].live)]
