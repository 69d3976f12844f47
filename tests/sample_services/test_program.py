"""The sample program does what it says, on real files."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus import Bus, Call, CallTimeout, DeadlockError, HandlerAborted
from sample_services import program
from tests.support import wait_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pools.py").write_text("import threading\n\n# a thread pool\nworkers = 4\n")
    (tmp_path / "notes.txt").write_text("nothing to see\n")
    (tmp_path / "binary.dat").write_bytes(b"\x00\x01\x02")
    (tmp_path / "latin.txt").write_bytes("café".encode("latin-1"))
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "secret.py").write_text("thread pool\n")
    return tmp_path


@pytest.fixture
def bus(folder: Path) -> Iterator[Bus]:
    with program.build(folder) as made:
        wait_for(lambda: made.execute_command("metrics.snapshot").result(10).get("scan.finished"))
        wait_for(lambda: made.execute_command("store.stats").result(10).files == 2)
        yield made


def test_scan_tells_of_its_files_little_by_little(bus: Bus, folder: Path) -> None:
    """Nobody has to wait behind two thousand files: each is told of once, twenty at a time, then that it was all."""
    for number in range(43):
        (folder / f"more{number}.py").write_text("x = 1\n")
    bus.execute_command("watch.stop").result(10)
    told: list[tuple[int, str]] = []

    class Told:
        def ended(self, call: Call) -> None:
            if call.kind == "delivery" and call.service == "metrics" and call.name in {"file.found", "scan.finished"}:
                told.append((call.root, call.name))

    bus.add_hook(Told())
    assert bus.execute_command("scan.folder", folder, "more*.py").result(10) == 43
    wait_for(lambda: told[-1:] and told[-1][1] == "scan.finished")
    assert [name for _, name in told] == ["file.found"] * 43 + ["scan.finished"]
    assert max(Counter(root for root, _ in told).values()) <= 20 + 1
    assert bus.execute_command("scan.status").result(10).folders == 2


def test_search_finds_the_file_and_the_line(bus: Bus, folder: Path) -> None:
    """search.query finds the file that holds all the words, and the line of the first."""
    (hit,) = bus.execute_command("search.query", "thread pool").result(10)
    assert (hit.path, hit.line) == (str(folder.resolve() / "pools.py"), 1)
    assert "thread pool" in hit.text
    assert bus.execute_command("search.query", 'no" such" words').result(10) == []
    assert bus.execute_command("search.suggest", "thr").result(10) == ["thread", "threading"]


def test_empty_query_is_refused(bus: Bus) -> None:
    """A query without a word is an error that says so."""
    with pytest.raises(ValueError, match="give at least one word"):
        bus.execute_command("search.query", "  ").result(10)


def test_files_that_are_no_text_are_reported(bus: Bus, folder: Path) -> None:
    """A binary file and one that is not UTF-8 are reported by file.failed, and by index.file as an error."""
    wait_for(lambda: bus.execute_command("metrics.snapshot").result(10).get("file.failed") == 2)
    with pytest.raises(ValueError, match="a binary file"):
        bus.execute_command("index.file", folder / "binary.dat").result(10)
    with pytest.raises(ValueError, match="not UTF-8 at byte 3"):
        bus.execute_command("index.file", folder / "latin.txt").result(10)
    with pytest.raises(FileNotFoundError):
        bus.execute_command("index.file", folder / "missing").result(10)


def test_changed_file_is_found_again(bus: Bus, folder: Path) -> None:
    """The watcher notices a change on disk, and the search finds the new text."""
    assert bus.execute_command("search.query", "zebra").result(10) == []
    bus.execute_command("watch.start", folder).result(10)
    (folder / "notes.txt").write_text("a zebra\n")
    (hit,) = wait_for(lambda: bus.execute_command("search.query", "zebra").result(10))
    assert hit.path.endswith("notes.txt")
    assert bus.execute_command("store.stats").result(10).files == 2
    bus.execute_command("watch.stop").result(10)


def test_rebuild_indexes_every_file_again(bus: Bus) -> None:
    """index.rebuild fires file.changed for each file of the store."""

    def indexed() -> int:
        return bus.execute_command("metrics.snapshot").result(10).get("file.indexed", 0)

    wait_for(lambda: indexed() == 2)
    assert bus.execute_command("index.rebuild").result(10) == 2
    wait_for(lambda: indexed() == 4)


def test_folder_that_is_none_is_refused(bus: Bus, folder: Path) -> None:
    """Scanning or watching what is not a folder is an error."""
    for name in ("scan.folder", "watch.start"):
        with pytest.raises(NotADirectoryError):
            bus.execute_command(name, folder / "notes.txt").result(10)


@pytest.mark.parametrize(
    ("kind", "error"),
    [("value", ValueError), ("key", KeyError), ("chain", RuntimeError), ("exit", HandlerAborted)],
)
def test_trouble_fails_on_request(bus: Bus, kind: str, error: type[Exception]) -> None:
    """trouble.fail raises what was asked for, and the service lives on."""
    with pytest.raises(error):
        bus.execute_command("trouble.fail", kind).result(10)
    assert bus.execute_command("trouble.ack").result(10) == "ack"


def test_trouble_waits_in_a_circle(bus: Bus) -> None:
    """trouble.deadlock waits for a service that waits for it: refused, or until the time is up."""
    with pytest.raises(DeadlockError):
        bus.execute_command("trouble.deadlock").result(10)
    with pytest.raises(CallTimeout):
        bus.execute_command("trouble.deadlock", 0.05).result(10)
    assert bus.execute_command("trouble.ack").result(10) == "ack"


def test_trouble_loses_updates(bus: Bus) -> None:
    """trouble.race counts on two threads without a lock, and some of it is lost."""
    counted = bus.execute_command("trouble.race", 200).result(30)
    assert counted["expected"] == 200
    assert 0 < counted["got"] < 200


def test_trouble_floods_and_leaks(bus: Bus) -> None:
    """trouble.flood drops events at a full mailbox; trouble.leak leaves its listeners behind."""
    bus.execute_command("trouble.flood", 3_000).result(30)
    assert next(info.dropped for info in bus.services() if info.name == "accomplice") > 0
    bus.execute_command("trouble.leak", 5).result(10)
    assert len(bus.receivers("trouble.leaked")) == 6  # with the metrics, which hear everything


def test_slow_trouble_can_be_cancelled(bus: Bus) -> None:
    """trouble.slow ends when its caller asks it to."""
    promise = bus.execute_command("trouble.slow", 600.0)
    wait_for(promise.running)
    promise.cancel()
    assert promise.result(10) == 600.0


def test_trouble_of_every_kind(bus: Bus) -> None:
    """Each of them makes its trouble with others, says how much, and leaves a service that answers."""

    def ask(name: str, *args: object) -> object:
        return bus.execute_command(name, *args).result(30)

    assert ask("trouble.errors", 2) == ["OSError('the accomplice could not do it')"] * 2
    assert ask("trouble.swallow") is None
    assert ask("trouble.misspell", 3) == 3
    assert ask("trouble.loop", 4) == 4
    assert ask("trouble.delay", 2) == 2
    assert ask("trouble.hog", 0.1) == 3
    assert ask("trouble.tail", 60) == 60
    assert ask("trouble.flood", 40, 0.1) == 40
    assert ask("trouble.starve", 0.05) == 2
    assert ask("trouble.ack") == "ack"
    fired = ask("metrics.snapshot")
    assert isinstance(fired, dict)
    assert (fired["file.chnaged"], fired["trouble.looped"], fired["trouble.parcel"]) == (3, 5, 2)


def test_load_keeps_the_program_busy(bus: Bus) -> None:
    """The load searches until it is stopped."""
    calls: list[str] = []

    class Names:
        def ended(self, call: object) -> None:
            calls.append(call.name)  # type: ignore[attr-defined]

    stop = threading.Event()
    bus.add_hook(Names())
    worker = threading.Thread(target=program.load, args=(bus, stop))
    worker.start()
    wait_for(lambda: {"search.query", "search.suggest", "scan.status"} <= set(calls))
    stop.set()
    worker.join(10)
    assert not worker.is_alive()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_program_ends_on_a_signal(folder: Path, number: int) -> None:
    """SIGINT and SIGTERM end the program cleanly, with exit code 0."""
    child = subprocess.Popen(
        [sys.executable, "-u", "-c", f"import sys; sys.argv = ['x', {str(folder)!r}]\n{STARTED}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "started\n"
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (0, "", "")


STARTED = """
from sample_services import __main__ as main, program
load = program.load
def announced(bus, stop):
    print("started")
    load(bus, stop)
program.load = announced
sys.exit(main.main())
"""


def test_missing_folder_is_a_clear_message() -> None:
    """A folder that is not there ends with exit code 2 and one line."""
    done = subprocess.run(
        [sys.executable, "-m", "sample_services", "/no/such/folder"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "sample_services: /no/such/folder is not a folder; give the folder to index\n"
