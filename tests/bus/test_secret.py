"""`Secret[T]`: what is said to be secret reaches no record, whatever it is called, and is a plain value otherwise."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import pytest

from bus import BadArguments, Bus, Secret, Service, command, listener
from bus.attach.endpoint import Endpoint
from bus.attach.frames import from_endpoint, pack
from bus.attach.protocol import Execute, Fire, Hello, Reply
from bus.signature import annotation_text, schema_of
from bus.trace.recorder import Recorder
from bus.trace.records import Call
from bus.trace.redact import REDACTED, value_text
from tests.support import wait_for

if TYPE_CHECKING:
    from nowhere import Unknown

CANARY = "canary-4711"


@dataclass
class Account:
    user: str
    pin: Secret[str]


class Key(msgspec.Struct):
    owner: str
    bits: Secret[bytes] | None = None


class Login(Service):
    @command("login")
    def login(self, user: str, pw: Secret[str], *more: Secret[str], **rest: Secret[str]) -> int:
        return len(pw) + len(more) + len(rest)

    @command("optional")
    def optional(self, pin: Secret[int] | None = None) -> int | None:
        return pin

    @command("open")
    def open(self, account: Account, key: Key) -> Account:
        return account

    @command("fail")
    def fail(self, pw: Secret[str], unknown: Unknown | None = None) -> None:
        raise ValueError(f"cannot use {pw}")

    @listener("told")
    def on_told(self, user: str, pw: Secret[str]) -> None: ...


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test", trace="full") as made:
        made.add(Login())
        yield made


def use_all(bus: Bus) -> None:
    """Every way in which a canary can be given away."""
    account, key = Account("ann", CANARY), Key("ann", CANARY.encode())
    assert bus.execute_command("login", "ann", CANARY, CANARY, CANARY, extra=CANARY).result(10) == len(CANARY) + 3
    assert bus.execute_command("login", user="ann", pw=CANARY).result(10) == len(CANARY)
    assert bus.execute_command("open", account, key=key).result(10) is account
    assert bus.execute_command("open", account, key).result(10) is account
    assert isinstance(bus.execute_command("fail", CANARY).exception(10), ValueError)
    bus.fire_event("told", "ann", CANARY)
    bus.fire_event("told", user="ann", pw=CANARY)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (Secret[str], "Secret[str]"),
        (Secret[str] | None, "Secret[str] | None"),
        (list[Secret[bytes]], "list[Secret[bytes]]"),
        (Annotated[Secret[int], "more"], "Secret[int]"),
    ],
)
def test_schema_says_that_a_parameter_is_secret(annotation: object, text: str) -> None:
    """The parameter is marked, its default hidden, and its type shown as its author wrote it."""

    def login(pw: object = CANARY) -> None: ...

    login.__annotations__ = {"pw": annotation}
    (parameter,) = schema_of(login).parameters
    assert (parameter.secret, parameter.default, parameter.annotation) == (True, REDACTED, text)
    assert annotation_text(annotation) == text


def test_other_annotations_are_as_ever() -> None:
    """What is not marked is neither secret nor shown with metadata."""

    def plain(count: Annotated[int, "unit"], name: str | None = None) -> None: ...

    parameters = schema_of(plain).parameters
    assert [(one.secret, one.annotation) for one in parameters] == [(False, "int"), (False, "str | None")]


def test_annotation_that_cannot_be_resolved_hides_no_secret() -> None:
    """One unknown name in a signature does not make the bus forget what the others say, nor that it is secret."""

    def login(count: int, pw: Secret[str], other: Unknown, both: Secret[Unknown]) -> None: ...

    schema = schema_of(login)
    assert [one.secret for one in schema.parameters] == [False, True, False, True]
    assert schema.convert("login", ["1", "x", "y", "z"], {}) == ((1, "x", "y", "z"), {})


def test_values_from_text_are_converted_and_not_told(bus: Bus) -> None:
    """Text becomes what stands inside Secret[...]; the error for one that does not fit leaves the value out."""
    assert bus.execute_text("optional", ["17"], {}).result(10) == 17
    assert bus.execute_text("optional", [None], {}).result(10) is None
    with pytest.raises(BadArguments, match="optional: pin=‹redacted› is not") as caught:
        bus.execute_text("optional", [CANARY], {})
    assert CANARY not in str(caught.value)
    account = bus.execute_text("open", [{"user": "ann", "pin": CANARY}, {"owner": "ann"}], {}).result(10)
    assert account == Account("ann", CANARY)


def test_fields_of_values_are_hidden_however_deep() -> None:
    """A field of a dataclass or a Struct that is marked shows no value, in lists and dicts of them too."""
    text = value_text({"all": [Account("ann", CANARY), Key("bob", CANARY.encode())]})
    assert CANARY not in text
    assert "Account(user='ann', pin=‹redacted›)" in text
    assert "Key(owner='bob', bits=‹redacted›)" in text


def test_no_secret_in_ring_or_records(bus: Bus) -> None:
    """At the level `full`, what the recorder keeps has the calls, and not what is secret in them."""
    chunks: list[object] = []

    class Memory:
        cpu, alive = 0, True

        def join(self, opening: tuple[object, ...], history: tuple[object, ...]) -> None:
            chunks.extend(opening)
            self.offer_all(history)

        def offer_all(self, history: tuple[object, ...]) -> None:
            for chunk in history:
                self.offer(chunk)

        def offer(self, chunk: object) -> None:
            chunks.extend(chunk.records())

        leave = offer

        def flush(self, timeout: float) -> bool:
            return True

    recorder = Recorder(bus, "full")
    use_all(bus)
    assert recorder.flush()
    assert recorder.add(Memory(), 10)  # who joins late gets the ring
    wait_for(lambda: recorder.flush() and sum(isinstance(one, Call) for one in chunks) == 9)
    assert recorder.close()
    calls = [one for one in chunks if isinstance(one, Call)]
    assert {call.args for call in calls if call.name == "login"} == {
        "'ann', ‹redacted›, ‹redacted›, ‹redacted›, extra=‹redacted›",
        "user=‹redacted›, pw=‹redacted›",  # `**rest` is secret, and with it whatever is given by keyword
    }
    assert CANARY not in repr(chunks)


def test_no_secret_in_a_session_file(bus: Bus, tmp_path: Path) -> None:
    """Not one byte of it is written."""
    with bus.record(tmp_path / "secret.jsonl"):
        use_all(bus)
    written = (tmp_path / "secret.jsonl").read_text()
    assert '"login"' in written
    assert CANARY not in written


def test_no_secret_on_the_wire(bus: Bus, tmp_path: Path) -> None:
    """Neither batches nor the answers to a console's own acts bring it back, also when a value does not fit."""
    recorder = Recorder(bus, "full")
    door = Endpoint(bus, recorder, tmp_path / "run")
    received, splitter, messages = bytearray(), from_endpoint(), []
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        peer.connect(str(door.path))
        acts = [
            Execute(request=1, name="login", args=f'["ann", "{CANARY}", "{CANARY}"]', kwargs=f'{{"x": "{CANARY}"}}'),
            Execute(request=2, name="open", args=f'[{{"user": "ann", "pin": "{CANARY}"}}, {{"owner": "ann"}}]'),
            Execute(request=3, name="fail", args=f'["{CANARY}"]'),
            Execute(request=4, name="optional", args=f'["{CANARY}"]'),
            Fire(request=5, name="told", args=f'["ann", "{CANARY}"]'),
        ]
        peer.sendall(b"".join(map(pack, [Hello(role="act"), *acts])))
        use_all(bus)
        # The five answers, and the last call of all: its record comes in a batch.
        bus.execute_command("login", "the-last-one", CANARY).result(10)
        while not ("the-last-one" in repr(messages) and sum(isinstance(one, Reply) for one in messages) == len(acts)):
            data = peer.recv(1 << 16)
            received += data
            messages += splitter.feed(data)
    assert door.close()
    assert recorder.close()
    assert REDACTED.encode() in received
    assert CANARY.encode() not in received
    assert CANARY not in repr(messages)
