"""What was a frame once and is damaged now: refused or done, and nothing else ever happens."""

import ast
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import bus
from bus.attach.frames import pack
from bus.attach.protocol import Batch, Execute, Fire, Hello, Reply, SetLevel, Stacks, Welcome
from tests.bus.attach.mutants import REQUESTS, count_refused, mutants
from tests.bus.attach.peer import Peer

ROOT = Path(bus.__file__).parents[1]
EVALUATES = {"eval", "exec", "compile", "__import__"}
UNPICKLES = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "copyreg", "code", "codeop"}
LOADS_BY_NAME = {ROOT / "console" / "target" / "child.py"}
"""Runs what the developer named on the command line: no byte of it comes over the wire."""


def test_a_hundred_thousand_mutants_are_refused_or_understood(figure):
    """From either side; nothing but a ProtocolError is raised, and both happen often."""
    refused = count_refused(100_000, seed=5)
    figure(f"mutated frames: 100,000, of which {refused:,} refused")
    assert 10_000 < refused < 99_000


class Watched:
    def __init__(self, place):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bus.attach.watched_program", str(place)], env=environment, cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.path = self.process.stdout.readline().strip()

    def watch(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "watching\n"

    def end(self):
        said, _ = self.process.communicate(timeout=60)
        return said.splitlines()


@pytest.fixture
def watched(tmp_path):
    program = Watched(tmp_path / "run")
    yield program
    program.process.kill()
    program.process.wait()
    for stream in (program.process.stdin, program.process.stdout):
        stream.close()


def warm_up(path):
    """Each kind of request once, good and bad: whatever is imported at the first use is imported now."""
    peer = Peer(path)
    peer.say(Hello(role="act")).hear(Welcome)
    good = (Execute(request=1, name="sell", args='["x"]'), Fire(request=2, name="sold", args='["x"]'))
    bad = (Execute(request=3, name="sel"), Execute(request=4, name="fail", args='["x"]'), Fire(request=5, name="sold"))
    other = (Stacks(request=6), SetLevel(request=7, level="full"), Execute(request=8, name="sell", args="[[{]"))
    for request in (*good, *bad, *other):
        peer.say(request).hear(Reply, lambda reply, n=request.request: reply.request == n)
    peer.hear(Batch)
    peer.socket.close()


def bombard(path, frames, seed):
    """Say so many mutants after a good hello, in as many connections as it takes."""
    source = mutants(REQUESTS, seed)
    said = connections = 0
    while said < frames:
        peer = Peer(path)
        connections += 1
        with suppress(ConnectionError):
            peer.say(pack(Hello(role="act")))
            for _ in range(min(40, frames - said)):
                peer.say(next(source))
                said += 1
        peer.socket.close()
    return connections


def test_nothing_on_the_wire_is_evaluated_unpickled_imported_or_run(watched):
    """An audit hook in the program sees none of it, whatever comes in; the program goes on as if nothing had been."""
    warm_up(watched.path)
    watched.watch()
    bombard(watched.path, 4_000, seed=6)
    assert watched.end() == ["whole"]


def test_the_watching_program_would_notice(tmp_path):
    """An argument that is evaluated, a pickle that is read."""
    program = (
        "import pickle, sys\nfrom tests.bus.attach.watched_program import note, noted\nsys.addaudithook(note)\n"
        "eval('1 + 1')\npickle.loads(pickle.dumps(print))\nprint(*noted, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "exec (" in done.stdout
    assert "pickle.find_class ('builtins', 'print')" in done.stdout


@pytest.mark.parametrize("package", ["bus", "console"])
def test_no_source_file_evaluates_or_unpickles(package):
    """Of both sides of the wire, in any module."""
    found = []
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found += [f"{path}:{node.lineno} {name}" for name in suspicious(node)]  # only nodes with a line are
    allowed = [one for one in found if any(one.startswith(str(path)) for path in LOADS_BY_NAME)]
    assert [one for one in found if one not in allowed] == []


def suspicious(node):
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in EVALUATES:
        yield node.func.id
    elif isinstance(node, ast.Import):
        yield from (one.name for one in node.names if one.name.split(".")[0] in UNPICKLES)
    elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNPICKLES:
        yield node.module
    elif isinstance(node, ast.Attribute) and node.attr in {"import_module", "find_class"}:
        yield node.attr


@pytest.mark.parametrize(
    "line", ["eval('1')", "import pickle", "from marshal import loads", "import os, shelve", "lib.import_module(x)"]
)
def test_the_scan_would_find_it(line):
    """In any of these forms."""
    assert any(list(suspicious(node)) for node in ast.walk(ast.parse(line)))
