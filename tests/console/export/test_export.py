"""Exporting by the ending of the file, and what is said when that cannot be done."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from bus.trace.records import Call
from bus.trace.session import SessionWriter
from console.export import FORMATS, ExportError, Selection, export
from console.export.formats import Format
from console.language.filter_parser import parse
from tests import synthetic


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A session file."""
    writer = SessionWriter(tmp_path / "session.jsonl", synthetic.session_record())
    writer.write(synthetic.session(50))
    writer.close()
    return writer.path


def test_says_what_was_written(recorded: Path, tmp_path: Path) -> None:
    """The number of calls, and none damaged; the file is whole JSON."""
    done = export(recorded, tmp_path / "out.JSON")
    assert (done.path, done.damaged) == (tmp_path / "out.JSON", 0)
    assert done.calls >= 50
    assert json.loads(done.path.read_bytes())


def test_a_cut_session_is_exported_as_far_as_it_goes(recorded: Path, tmp_path: Path) -> None:
    """A line that was cut is left out, and counted."""
    recorded.write_bytes(recorded.read_bytes()[:-20])
    assert export(recorded, tmp_path / "out.json").damaged == 1


@pytest.mark.parametrize("name", ["out.foo", "out", "out.jsonl"])
def test_an_unknown_ending_is_explained(recorded: Path, tmp_path: Path, name: str) -> None:
    """The message names the ending that works."""
    with pytest.raises(ExportError, match=r"\.json \(Chrome trace JSON"):
        export(recorded, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_never_writes_over_the_session(recorded: Path) -> None:
    """A session that is called .json is not replaced by its own export."""
    session = recorded.rename(recorded.with_suffix(".json"))
    with pytest.raises(ExportError, match="another name"):
        export(session, session)


@pytest.mark.parametrize(("source", "reason"), [("missing.jsonl", "cannot open"), ("notes.txt", "not a session file")])
def test_what_is_no_session_is_refused(tmp_path: Path, source: str, reason: str) -> None:
    """A missing file and one of another kind are named, and nothing is left behind."""
    (tmp_path / "notes.txt").write_text("no records in here\n" * 3)
    with pytest.raises(ExportError, match=reason):
        export(tmp_path / source, tmp_path / "out.json")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_place_that_cannot_be_written_to(recorded: Path, tmp_path: Path) -> None:
    """The message names the file and the reason."""
    with pytest.raises(ExportError, match=r"cannot write .*out\.json: No such file or directory"):
        export(recorded, tmp_path / "missing" / "out.json")


@pytest.mark.parametrize("form", [form for form in FORMATS if form.needs], ids=lambda form: form.name)
def test_a_missing_library_is_named(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Format
) -> None:
    """The message says what to install and how, before anything is read or written."""
    monkeypatch.setitem(sys.modules, form.needs, None)
    advice = rf"{form.name} needs the library {form.library}, .*: pip install 'bus-console\[export\]'"
    with pytest.raises(ExportError, match=advice):
        export(recorded, tmp_path / f"out{form.endings[0]}")
    assert [path.name for path in tmp_path.iterdir()] == [recorded.name]


def test_only_the_exporter_loads_its_library(recorded: Path, tmp_path: Path) -> None:
    """Who exports to one format does not wait for the libraries of the others."""
    heavy = "perfetto", "google.protobuf", "pyarrow", "opentelemetry", "jinja2", "textual", "prompt_toolkit"
    light = [tmp_path / name for name in ("out.json", "out.csv", "out.sqlite", "out.otlp.json")]
    code = (
        "import sys; from console.export import export; "
        "[export(sys.argv[1], path) for path in sys.argv[2:]]; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, recorded, *light], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_takes_filter_and_window(recorded: Path, tmp_path: Path, form: Format) -> None:
    """Any format can be chosen by name, and has the calls that were selected only."""
    if form.needs:
        pytest.importorskip(form.needs, reason=f"the wheel {form.library} is not installed")
    calls = [record for record in synthetic.session(50) if isinstance(record, Call)]
    base = synthetic.START  # the states of the services are the first records
    begin, end = 25 * synthetic.MS, 50 * synthetic.MS
    chosen = [
        call for call in calls
        if "file" in call.name and call.queued <= base + end and max(call.ended, call.queued) >= base + begin
    ]  # fmt: skip
    assert any("file" in call.name and call.queued > base + end for call in calls)
    assert any("file" in call.name and call.ended < base + begin for call in calls)
    assert chosen
    done = export(recorded, tmp_path / "any", Selection(parse("file"), begin, end), name=form.name)
    assert done.calls == (len(chosen) if form.several else done.calls)
    assert done.path.stat().st_size


def test_a_filter_is_a_pattern_or_a_part(recorded: Path, tmp_path: Path) -> None:
    """`*.query` matches whole names, `query` any part of them."""
    calls = [record for record in synthetic.session(50) if isinstance(record, Call)]
    wanted = sum(call.name == "search.query" for call in calls)
    assert export(recorded, tmp_path / "out.csv", Selection(parse("*.query"))).calls == wanted
    assert export(recorded, tmp_path / "out.csv", Selection(parse("arch.qu"))).calls == wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("outcome:failed", lambda call: call.outcome != "ok"),
        (
            "service:indexer run>2ms",
            lambda call: call.service == "indexer" and call.ended - call.started > 2 * synthetic.MS,
        ),
        ("lane=store-0 or kind:event", lambda call: call.lane == synthetic.KEY["store-0"] or call.kind == "event"),
        ("caller=load or arg:typing", lambda call: call.caller == synthetic.KEY["load"] or "typing" in call.args),
    ],
)
def test_a_filter_asks_for_any_field(recorded: Path, tmp_path: Path, line: str, wanted: Callable[[Call], bool]) -> None:
    """Services, outcomes, lanes by name, times, arguments."""
    calls = [record for record in synthetic.session(50) if isinstance(record, Call)]
    chosen = sorted(call.id for call in calls if wanted(call))
    assert 0 < len(chosen) < len(calls)
    done = export(recorded, tmp_path / "out.csv", Selection(parse(line)))
    with done.path.open(newline="") as file:
        assert sorted(int(row["id"]) for row in csv.DictReader(file)) == chosen


def test_a_call_in_flight_is_as_old_as_the_recording(tmp_path: Path) -> None:
    """It took from when it was queued to the last moment of which anything is known."""
    ended = next(record for record in synthetic.session(50) if isinstance(record, Call) and record.kind == "command")
    running = structs.replace(ended, id=77, root=77, lane=9, ended=0, outcome=None, cpu=None, waited=0)
    later = structs.replace(
        ended, id=78, root=78, queued=ended.queued + 500 * synthetic.MS, started=0, ended=0, outcome=None
    )
    writer = SessionWriter(tmp_path / "session.jsonl", synthetic.session_record())
    writer.write([ended, running, later])
    writer.close()
    for line, count in (("took>=500ms", 1), ("outcome:in-flight", 2), ("outcome:queued", 1), ("outcome:running", 1)):
        assert export(writer.path, tmp_path / "out.csv", Selection(parse(line))).calls == count


def test_a_call_that_is_also_seen_running_is_one_call(tmp_path: Path) -> None:
    """What was written of it before and after its end, as snapshots may, does not make it two."""
    ended = next(record for record in synthetic.session(50) if isinstance(record, Call) and record.started)
    running = structs.replace(ended, ended=0, outcome=None)
    writer = SessionWriter(tmp_path / "session.jsonl", synthetic.session_record())
    writer.write([running, ended, ended, running])
    writer.close()
    done = export(writer.path, tmp_path / "out.csv")
    assert done.calls == 1
    assert f",{ended.outcome}," in done.path.read_text()


def test_nothing_selected_is_said(recorded: Path, tmp_path: Path) -> None:
    """An empty export is not written: the message says what a filter is and how long the recording is."""
    with pytest.raises(ExportError, match=r"no call was selected: .* which is \d+ ms long"):
        export(recorded, tmp_path / "out.json", Selection(parse("nothing.like.this")))
    assert not (tmp_path / "out.json").exists()


def test_an_unknown_format_is_refused(recorded: Path, tmp_path: Path) -> None:
    """The message lists those that there are."""
    with pytest.raises(ExportError, match=r"no format 'word': choose one of perfetto, chrome"):
        export(recorded, tmp_path / "out.json", name="word")


def test_sessions_of_different_machines_do_not_mix(tmp_path: Path) -> None:
    """Where the monotonic clocks cannot be the same, times could not be compared."""
    ours, theirs = synthetic.session_record(), structs.replace(synthetic.session_record(), start_unix=1)
    for name, first in (("a", ours), ("b", theirs)):
        writer = SessionWriter(tmp_path / name, first)
        writer.write(synthetic.session(5))
        writer.close()
    with pytest.raises(ExportError, match="one machine"):
        export([tmp_path / "a", tmp_path / "b"], tmp_path / "out.json")


def test_the_readme_lists_every_format() -> None:
    """No format is hidden: each one's first ending stands there."""
    readme = Path("README.md").read_text(encoding="utf-8")
    assert [form.name for form in FORMATS if f"`{form.endings[0]}`" not in readme] == []
