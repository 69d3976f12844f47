"""Hostile text and secrets in all that a program supplies: none of it gets through to any place that records go to."""

import csv
import io
import json
import logging
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus import Bus, Secret, Service, switches
from bus.attach.protocol import Batch, Reply
from bus.trace.records import AnyRecord, Call, Problem
from bus.trace.redact import REDACTED, TEXT_LIMIT
from bus.trace.session import SessionReader
from bus.trace.stacks import TRACEBACK_LIMIT
from console.export import FORMATS, Selection, export
from console.target.attached import AttachedTarget
from console.target.discover import sockets
from tests.hostile import EVERY, HUGE, TEXTS, is_harmless, strings
from tests.support import wait_for

# Its last part is of letters: digits would be found in a moment of time, too.
CANARY = "canary-\x1b-é-zqxj"
PARTS = ("cana", "zqxj")
_NAME = 100_000
"""Characters of the longest name: the bus makes a pattern of an event's name, which takes its time."""
LOG = logging.getLogger("tests.hostile")


@dataclass
class Account:
    user: str
    pin: Secret[str]


def say(text: str) -> None:
    """To all streams."""
    sys.stdout.write(text + "\n")
    sys.stderr.write(text + "\n")
    LOG.error("%s", text)


def talk(bus: Bus, text: str) -> None:
    """Calls, an event, a failure and a thread that are called TEXT, are given TEXT, say TEXT and return it."""
    name = text[:_NAME]

    def echo(value: str, *, key: str = name) -> str:
        say(value)
        bus.fire_event(name, value)
        return value

    def fail(value: str) -> None:
        error = ValueError(value)
        error.add_note(name)
        raise error from KeyError(value)

    echo.__doc__ = name
    bus.add(Service(name))
    bus.register_command(name, echo, service=name)
    bus.register_command("fail " + name, fail, service=name)
    bus.register_listener(name, lambda value: None, service=name)
    bus.execute_command(name, text, key=text).result()
    assert bus.execute_command("fail " + name, text).exception() is not None
    thread = threading.Thread(target=lambda: bus.execute_command(name, text).result(), name=name)
    thread.start()
    thread.join()


def talk_all(bus: Bus) -> None:
    """With each text of the corpus, with all in one, and with one of 100 MB."""
    for text in (EVERY, HUGE, *TEXTS.values()):
        talk(bus, text)


def keep_secret(bus: Bus) -> None:
    """The canary as argument, by keyword, in values, in what is raised, said, returned, and not looked at."""

    def login(
        user: str, password: str, config: dict[str, Any], account: Account, *, token: bytes, key: Secret[str]
    ) -> str:
        say(f"{password} {config} {account} {token!r} {key!r}")
        bus.execute_command("audit", user).result()
        if user == "wrong":
            error = ValueError(f"{key:x<{TEXT_LIMIT - 8}}{password}")
            error.add_note(key)
            raise error from KeyError(token, config)
        return f"welcome {key}"

    def audit(user: str) -> None:
        say(f"another thread knows {CANARY}")

    bus.add(Service("door"))
    bus.add(Service("books"))
    bus.register_command("login", login, service="door")
    bus.register_command("audit", audit, service="books")
    bus.register_listener("told", lambda user, password: say(password), service="books")
    config = {"password": CANARY, "servers": [{"api_key": CANARY}, {"Cookie": [CANARY]}]}
    for user in ("ann", "wrong", "wrong"):
        account = Account(user, CANARY)
        promise = bus.execute_command("login", user, CANARY, config, account, token=CANARY.encode(), key=CANARY)
        wait_for(promise.done)
        del promise  # nobody ever asks for the errors, so the bus tells of them
    bus.fire_event("told", "ann", CANARY)
    say(f"the caller knows {CANARY}")


@dataclass
class Recorded:
    """What one program left behind."""

    ring: list[AnyRecord]
    file: Path
    wire: list[Batch]
    replies: list[Reply]


def record(folder: Path, program: Callable[[Bus], None], monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Run PROGRAM with a session file, a console that is attached and acts, and all that it says captured."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(LOG, "propagate", False)
    batches: list[Batch] = []
    replies: list[Reply] = []
    with Bus("bus " + EVERY, trace="full") as bus:
        switches.capture(bus)
        bus.record(folder / "session.jsonl")
        bus.serve()
        with closing(AttachedTarget(sockets()[0])) as target:
            program(bus)
            target.execute("fail " + TEXTS["OSC 52"], [TEXTS["OSC 52"]], {}, replies.append)
            wait_for(lambda: replies)
            dumped = bus.dump_trace(folder / "ring.jsonl")
            bus.close()
            wait_for(lambda: batches.extend(target.drain()) or target.info.state == "ended")
            batches.extend(target.drain())
    ring = [each for block in SessionReader(dumped) for each in block]
    (path,) = folder.glob("session*.jsonl")
    return Recorded(ring, path, batches, replies)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """What a program left behind whose every text is hostile."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield record(tmp_path_factory.mktemp("h"), talk_all, monkeypatch)


@pytest.fixture(scope="module")
def secretive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """What a program left behind that has a secret."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield record(tmp_path_factory.mktemp("s"), keep_secret, monkeypatch)


# ---- the text that is in a place


def texts_of(place: str, recorded: Recorded, folder: Path) -> list[str]:
    """All text in a PLACE: the ring as it is dumped, the session file, the wire, or an export."""
    if place == "ring":
        return list(strings(msgspec.to_builtins(recorded.ring)))
    if place == "file":
        return [*strings([json.loads(line) for line in recorded.file.read_text("utf-8").splitlines()])]
    if place == "wire":
        return list(strings(msgspec.to_builtins([*recorded.wire, *recorded.replies])))
    form = next(form for form in FORMATS if form.name == place)
    if form.needs:
        pytest.importorskip(form.needs, reason=f"the wheel {form.library} is not installed")
    records = [each for block in SessionReader(recorded.file) for each in block]
    failed = max((each for each in records if isinstance(each, Call) and each.error), key=lambda call: len(call.args))
    only = Selection(call=failed.id) if form.module == "sequence" else Selection()
    return list(READERS[place](export(recorded.file, folder / "out", only, name=place).path))


def chrome(path: Path) -> Iterable[str]:
    return strings(json.loads(path.read_bytes()))


def perfetto(path: Path) -> Iterable[str]:
    from google.protobuf.json_format import MessageToDict
    from perfetto.protos.perfetto.trace import perfetto_trace_pb2  # type: ignore[import-untyped]

    return strings(MessageToDict(perfetto_trace_pb2.Trace.FromString(path.read_bytes())))


def parquet(path: Path) -> Iterable[str]:
    from pyarrow import parquet as reader

    return strings(reader.read_table(path).drop_columns(["queued_at"]).to_pydict())  # Python has no ns


def sqlite(path: Path) -> Iterable[str]:
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        return list(strings([database.execute(f"select * from {table}").fetchall() for table in tables]))


def table(path: Path) -> Iterable[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(strings(list(csv.reader(file))))


def otlp(path: Path) -> Iterable[str]:
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    return strings(MessageToDict(TracesData.FromString(path.read_bytes())))


def otlp_json(path: Path) -> Iterable[str]:
    return strings([json.loads(line) for line in path.read_bytes().splitlines()])


def plain(path: Path) -> Iterable[str]:
    return [path.read_bytes().decode()]


class Page(HTMLParser):
    """The text of a page; fails where a tag or an attribute is not the report's."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag != "hostile-tag"
        assert "onload" not in dict(attrs)
        self.texts += [value for _, value in attrs if value]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def html(path: Path) -> Iterable[str]:
    page = Page()
    page.feed(path.read_bytes().decode())
    return page.texts


READERS = {
    "perfetto": perfetto, "chrome": chrome, "parquet": parquet, "sqlite": sqlite, "csv": table, "otlp": otlp,
    "otlp-json": otlp_json, "html": html, "mermaid": plain, "text": plain,
}  # fmt: skip
PLACES = ("ring", "file", "wire", *(form.name for form in FORMATS))


@pytest.mark.parametrize("place", PLACES)
def test_no_control_character_reaches_any_place(hostile: Recorded, tmp_path: Path, place: str) -> None:
    """Whatever it was in: names, arguments, errors, output; it is there, in harmless text."""
    texts = texts_of(place, hostile, tmp_path)
    assert [text[:200] for text in texts if not is_harmless(text)] == []
    assert any("x1b" in text for text in texts)


@pytest.mark.parametrize("place", ["ring", "file", "wire"])
def test_of_a_huge_text_two_kib_are_kept(hostile: Recorded, tmp_path: Path, place: str) -> None:
    """A traceback is bounded, too."""
    longest = sorted({len(text.encode()) for text in texts_of(place, hostile, tmp_path)})
    assert longest[-1] <= TRACEBACK_LIMIT
    tracebacks = {each.error.traceback for each in hostile.ring if isinstance(each, Call) and each.error}
    others = [text for text in texts_of("ring", hostile, tmp_path) if text not in tracebacks]
    assert max(len(text.encode()) for text in others) <= TEXT_LIMIT


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_reaches_no_place(secretive: Recorded, tmp_path: Path, place: str) -> None:
    """In none of its forms, nor a part of it; what stands there instead is seen."""
    assert {each.rule for each in secretive.ring if isinstance(each, Problem)} == {"swallowed"}
    texts = texts_of(place, secretive, tmp_path)
    assert [text for text in texts if any(part in text for part in PARTS)] == []
    assert any(REDACTED[1:5] in text for text in texts)


def test_a_secret_is_not_in_the_bytes_either(secretive: Recorded, tmp_path: Path) -> None:
    """Of the files that are not compressed."""
    for form in FORMATS:
        if form.name != "parquet" and not form.needs:
            path = export(secretive.file, tmp_path / form.name, name=form.name).path
            assert PARTS[0].encode() not in path.read_bytes()
    assert PARTS[0].encode() not in secretive.file.read_bytes()
