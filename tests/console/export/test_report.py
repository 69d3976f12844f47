"""The HTML report: well formed, complete, harmless, and opened by a real browser without a network."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bus.trace.records import Call, Error, Problem
from console.export import ExportError, Selection, export
from console.language.filters import ALL
from tests import synthetic
from tests.console.export.sessions import CALLS, START, call, exported, recorded, session, two_processes
from tests.e2e.browser import chromium

html5lib = pytest.importorskip("html5lib", reason="the wheel html5lib is not installed")

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}\x1b[31m\u202e</style></svg><img src=x onerror=alert(1)>"


def parsed(path: Path) -> Any:
    """The document, which the HTML parser must not find a single mistake in."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    document = parser.parse(path.read_bytes(), transport_encoding="utf-8")
    assert parser.errors == []
    return document


def text(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


def sections(document: Any) -> dict[str, Any]:
    """The sections by their heading."""
    return {section.find("h2").text: section for section in document.iter("section")}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The report of the fixture session."""
    return parsed(exported(tmp_path_factory.mktemp("report"), session(*CALLS), "out.html"))


def test_summary(page: Any) -> None:
    """Program, process, and the figures: each as the session has it."""
    assert page.find(".//h1").text == "fixture"
    figures = {each.find("dt").text: each.find("dd").text for each in page.iter("div") if each.find("dt") is not None}
    assert figures == {
        "calls": "15", "per second": "0", "failed": "✗ 3", "running at the end": "1", "queued at the end": "1",
        "problems": "⚠ 1", "lost records and events": "5",
    }  # fmt: skip


def test_problems_and_failures(page: Any) -> None:
    """Problems with when and how often; failures with error, message, first call and traceback."""
    found = sections(page)
    assert "⚠ stuck 7.0 µs 1 …" in text(found["Problems"])
    failures = [text(each) for each in found["Failures"].iter("details")]
    assert len(failures) == 3
    assert any(
        "index.file \\x1b[31m ☃ ValueError: bad <b>bold</b>" in each and "Traceback …" in each for each in failures
    )
    assert any("store.put MailboxFull #10 at 999 µs" in each for each in failures)


def test_slowest_calls_with_their_trees(page: Any) -> None:
    """The longest first, one of each causal tree, with all that it caused and when."""
    trees = [
        [[text(cell) for cell in row.iter("td")] for row in each.find(".//tbody").iter("tr")]
        for each in sections(page)["Slowest calls"].iter("details")
    ]
    tops = [tree[0][0].split(" ")[0] for tree in trees]
    assert tops == [
        "still.running",
        "still.queued",
        "child.outlives",
        "index.file",
        "index.file",
        "index.file",
        "long.ago",
    ]
    tree = next(tree for tree in trees if tree[0][0] == "index.file #1")
    assert [row[0] for row in tree] == [
        "index.file #1", "⤷ store.put #2", "⤷ file.found #3", "⤷ file.found #4", "⤷ file.found #5", "⤷ file.found #6",
    ]  # fmt: skip
    assert tree[1][1:5] == ["store-0", "ok", "1.0 µs", "49 µs"]


def test_commands_and_events(page: Any) -> None:
    """Each name with its figures, those that failed first."""
    rows = [[text(cell) for cell in row.iter("td")] for row in sections(page)["Commands"].find(".//tbody").iter("tr")]
    assert rows[0][:4] == ["index.file", "indexer", "3", "1"]
    assert {"store.put", "still.running"} <= {row[0] for row in rows}
    assert "file.found 1" in text(sections(page)["Events"])


def test_timeline_picture(tmp_path: Path) -> None:
    """Each thread is a row; what it did is an area, where it failed a mark that names the call."""
    records = synthetic.session(2_000)
    page = parsed(exported(tmp_path, records, "out.html"))
    said = {each.text for each in page.iter(f"{SVG}text")}
    assert said >= {"MainThread", "indexer-0", "store-0", "trouble-0"}
    titles = {each.text for each in page.iter(f"{SVG}title")}
    assert {"indexer-0: computing", "indexer-0: queued", "search-0: waiting"} <= titles
    failed = {record.id for record in records if isinstance(record, Call) and record.outcome == "error"}
    marked = {int(found[1]) for title in titles if (found := re.search(r"call #(\d+) failed", title))}
    assert marked
    assert marked <= failed


def test_the_picture_is_of_the_window(tmp_path: Path) -> None:
    """With a window, the axis is that window, in times of the whole recording."""
    page = parsed(
        exported(tmp_path, synthetic.session(500), "out.html", Selection(ALL, 200 * synthetic.MS, 700 * synthetic.MS))
    )
    ticks = [each.text for each in page.iter(f"{SVG}text") if each.get("class") == "tick"]
    assert (ticks[0], ticks[-1]) == ("200 ms", "700 ms")
    assert "only from 200 ms to 700 ms" in text(page.find(".//header"))


def test_hostile_text_is_only_text(tmp_path: Path) -> None:
    """Whatever a program puts into names, arguments, messages and problems: no element, no control character."""
    error = Error(HOSTILE, HOSTILE, HOSTILE)
    bad = call(1, HOSTILE, 1, 2_000, 3_000, lane=2, args=HOSTILE, outcome="error", error=error)
    event = call(2, HOSTILE, 3_000, 3_000, 3_000, lane=2, kind="event", args=HOSTILE)
    problem = Problem(rule=HOSTILE, at=START + 10, text=HOSTILE, calls=(1,))
    lanes = {1: HOSTILE, 2: f"{HOSTILE}-1"}
    path = exported(tmp_path, [*session(bad, event, lanes=lanes), problem], "out.html")
    page = parsed(path)
    assert {each.tag.rpartition("}")[2] for each in page.iter() if isinstance(each.tag, str)}.isdisjoint(
        {"script", "img"}
    )
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", path.read_text(encoding="utf-8"))
    assert "{{ 7*7 }}\\x1b[31m\\u202e" in text(page)
    assert len(page.findall(".//style")) == 1


def test_nothing_is_loaded_from_anywhere(tmp_path: Path) -> None:
    """No reference leaves the file, and a policy in it forbids what could."""
    path = exported(tmp_path, session(*CALLS), "out.html")
    page = parsed(path)
    names = {name for each in page.iter() for name in each.attrib}
    assert names.isdisjoint({"src", "srcset", "action", "data", "poster"})
    assert [each.get("href") for each in page.iter() if each.get("href")] == ["data:,"]
    assert not re.search(r"https?:|//\w|url\(|@import", path.read_text(encoding="utf-8"))
    policy = next(each for each in page.iter("meta") if each.get("http-equiv") == "Content-Security-Policy")
    assert policy.get("content").startswith("default-src 'none'")


def test_an_empty_session(tmp_path: Path) -> None:
    """A program that did nothing has a report too."""
    page = parsed(exported(tmp_path, [], "out.html"))
    assert "No call ran." in text(sections(page)["Slowest calls"])
    assert "None." in text(sections(page)["Problems"])


def test_one_session_only(tmp_path: Path) -> None:
    """Several sessions are refused."""
    with pytest.raises(ExportError, match="html shows one session"):
        two_processes(tmp_path, "out.html")


# ---- a real browser


def browser(folder: Path, page: Path, *more: str) -> tuple[bytes, list[str]]:
    """A picture of PAGE, drawn by Chromium without a network, and what its console had to say."""
    picture = folder / "page.png"
    command = [
        chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND",
        "--enable-logging=stderr", "--window-size=1280,1600", f"--user-data-dir={folder / 'profile'}",
        f"--screenshot={picture}", *more, page.as_uri(),
    ]  # fmt: skip
    env = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True, env=env)
    return picture.read_bytes(), [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def test_in_a_browser_light_and_dark(tmp_path: Path) -> None:
    """Chromium draws it in both schemes, each its own picture, and has nothing to complain about."""
    path = export(recorded(tmp_path, synthetic.session(2_000)), tmp_path / "out.html").path
    light, complaints = browser(tmp_path, path)
    dark, more = browser(tmp_path, path, "--force-dark-mode")
    assert complaints == more == []
    assert min(len(light), len(dark)) > 50_000, "a blank page is smaller"
    assert light != dark


def test_the_browser_would_complain(tmp_path: Path) -> None:
    """A page that breaks its own policy is noticed."""
    path = exported(tmp_path, session(*CALLS), "out.html")
    path.write_text(path.read_text(encoding="utf-8").replace("</body>", '<img src="http://x.invalid/a.png"></body>'))
    assert browser(tmp_path, path)[1]
