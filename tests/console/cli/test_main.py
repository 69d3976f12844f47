"""The command line, as processes."""

import gc
import os
import shlex
import signal
import subprocess
import sys
import textwrap

import pytest

from bus.attach.door import runtime_dir
from bus.trace.records import Call, Dump
from bus.trace.session import SessionReader
from console import collecting
from console.cli import main, subcommands
from tests.console.processes import SHOP, console
from tests.console.target.test_merged import two
from tests.e2e.terminal import Terminal
from tests.support import wait_for


def screen(*args, **settings):
    """Run bus-console in a terminal."""
    return Terminal([sys.executable, "-m", "console", *args], **settings)


COMMANDS = ["demo", "run", "attach", "web", "open", "ps", "repl", "record", "dump", "export", "completion"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help(place, name):
    """Help is printed, is no failure, ends with examples, and fits into 80 columns where it is prose."""
    code, out, err = console(name, "--help")
    assert (code, err) == (0, "")
    usage, _, examples = out.partition("examples:\n")
    assert usage.startswith(f"usage: bus-console {name}")
    assert max(map(len, usage.splitlines())) <= 80
    assert f"bus-console {name} " in f"{examples.splitlines()[0]} "


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "completion"])
def test_examples_can_be_written(name):
    """The parser takes each line of them."""
    parser = main._parser()
    for line in console(name, "--help")[1].partition("examples:\n")[2].partition("\n\n")[0].splitlines():
        command = line.strip().partition("bus-console ")[2].partition("     ")[0]
        assert parser.parse_args(shlex.split(command)).carry_out


def test_help_has_examples_and_version_a_number(place):
    """The first help shows how it is used."""
    assert "bus-console run script.py" in console("--help")[1]
    assert console("--version")[1].startswith("bus-console ")


@pytest.mark.parametrize(
    ("args", "advice"),
    [
        ([], "usage"), (["nope"], "invalid choice"), (["demo", "missing"], "there is no folder missing"),
        (["demo", "shop.py"], "shop.py is not a folder"), (["run", "missing.py"], "there is no file missing.py"),
        (["open", "missing.jsonl"], "missing.jsonl"), (["open", "shop.py"], "not a session file"),
        (["open", "."], "directory"),
        (["repl", "--open", "missing.jsonl"], "missing.jsonl"), (["attach", "nobody"], "no program can be attached to"),
        (["repl", "nobody"], "no program"), (["repl", "/nope.sock"], "there is no socket"), (["ps"], "no program"),
        (["record", "nobody", "-o", "x.jsonl"], "no program"), (["record", "shop.py"], "required: -o"),
        (["dump", "nobody"], "no program can be attached to"),
        (["record", "nope:make", "-o", "x.jsonl"], "there is no module nope"),
        (["record", "plain.py", "-o", "x.jsonl"], "made no bus"),
        (["export", "missing.jsonl", "-o", "x.json"], "missing.jsonl"), (["export", "shop.py", "-o", "x.foo"], ".foo"),
        (["export", "shop.py", "-o", "x.json"], "not a session file"),
        (["export", "blank.txt", "-o", "x.json"], "not a session file"),
        (["export", "a.jsonl", "-o", "x", "--format", "word"], "invalid choice: 'word'"),
        (["export", "a.jsonl", "-o", "x.csv", "--from", "soon"], "write 250ms, 1.5s or 2min"),
        (["repl", "--demo", "--open", "x"], "not allowed"),
    ],
)  # fmt: skip
def test_a_users_mistake(place, args, advice):
    """Exit status 2, one clear message on stderr, no traceback, and nothing left behind."""
    code, out, err = console(*args)
    assert (code, out) == (2, "")
    assert advice in err.replace("\n", "")
    assert "Traceback" not in err
    assert not list(place.glob("run/**/*.sock"))


@pytest.mark.parametrize(
    ("command", "missing"),
    [("run", "TARGET"), ("call", "TARGET, COMMAND"), ("fire", "TARGET, EVENT"), ("calls", "TARGET")],
)
def test_only_what_is_needed_is_missed(command, missing):
    """Arguments and filters, of which there may be none, are not among what is said to be required."""
    assert console(command)[2].endswith(f"required: {missing}\n")


def test_screens_need_a_terminal(place):
    """Into a pipe no screen is drawn."""
    assert console("demo")[0] == 2
    assert "need a terminal" in console("run", "shop.py")[2]


def test_ps(shop):
    """A running program is listed with name, pid, services and socket."""
    code, out, _ = console("ps")
    assert code == 0
    (heading, line) = out.splitlines()
    assert heading.split() == ["name", "pid", "age", "services", "socket"]
    assert line.split()[:2] == ["shop", str(shop.pid)]
    assert "greeter" in line
    assert str(runtime_dir()) in line


def test_repl_from_a_pipe(shop):
    """Lines are carried out on the program, and the exit status says how it went."""
    code, out, err = console("repl", "shop", stdin="say_hello Bob times=2\n")
    assert (code, err) == (0, "")
    assert "'Hello, Bob! Hello, Bob!'" in out
    assert " ok " in out.splitlines()[0]
    assert "computing" in out.splitlines()[0]
    assert console("repl", str(shop.pid), stdin="fail\n")[0] == 1
    assert console("repl", stdin="say_hello Bob times=x\n")[0] == 2


def test_bytes_that_are_no_text(shop):
    """They are refused in one sentence, and the lines after them are carried out."""
    argv = [sys.executable, "-m", "console", "repl", "shop"]
    done = subprocess.run(argv, input=b"say_hello \xff\nsay_hello Bob\n", capture_output=True, check=False)
    assert done.returncode == 2
    assert b"Hello, Bob!" in done.stdout
    assert b"not text" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_goes_away(shop):
    """`bus-console ps | head -0` ends without complaint."""
    argv = [sys.executable, "-m", "console", "ps"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as lister:
        lister.stdout.close()
        assert lister.stderr.read() == b""
        assert lister.wait() == 141


def test_a_terminal_that_knows_only_ascii(shop):
    """Signs that it cannot show are escaped."""
    done = subprocess.run(
        [sys.executable, "-m", "console", "repl", "shop"], input=b"fail\n", capture_output=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == b""
    assert b"ValueError: as asked" in done.stdout


def test_repl_from_a_pipe_when_the_program_dies(shop):
    """The call fails with a sentence; nothing hangs."""
    code, out, err = console("repl", stdin="die\nsay_hello Bob\n")
    assert code == 2
    assert "ended" in out
    assert "ended" in err


def test_record_and_export_and_open(place):
    """A program's calls go to a file, Ctrl-C ends it, the file can be exported and looked at."""
    argv = [sys.executable, "-m", "console", "record", "shop:make", "-o", "s.jsonl"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as recorder:
        assert "recording shop" in recorder.stderr.readline()
        assert console("repl", "shop", stdin="say_hello Bob\nfail\n")[0] == 1
        wait_for(lambda: "as asked" in (place / "s.jsonl").read_text())
        recorder.send_signal(signal.SIGINT)
        assert recorder.wait(10) == 0
        assert "s.jsonl: 2 calls" in recorder.stderr.read()
    assert console("export", "s.jsonl", "-o", "s.json") == (0, "s.json: 2 calls\n", "")
    assert console("export", "s.jsonl", "-o", "s.csv", "--filter", "fail", "--to", "1h")[0] == 2
    assert console("export", "s.jsonl", "-o", "s.csv", "--filter", "fail", "--to", "60min")[:2] == (
        0,
        "s.csv: 1 call\n",
    )
    assert console("export", "s.jsonl", "-o", "s.csv", "--from", "59min")[0] == 2
    code, out, _ = console("repl", "--open", "s.jsonl", stdin="calls say_hello\n")
    assert code == 0
    assert "'Bob'" in out
    assert not list(place.glob("run/**/*.sock"))


def test_dump_takes_what_happened_before_anybody_looked(shop, place):
    """The file is written here, not there; it is a session like any other, and says what it is."""
    assert console("repl", "shop", stdin="say_hello Bob\nfail\n")[0] == 1
    assert console("dump", "shop", "-o", "d.jsonl") == (0, "d.jsonl: 2 calls\n", "")
    code, out, _ = console("repl", "--open", "d.jsonl", stdin="calls say_hello\n")
    assert (code, "'Bob'" in out) == (0, True)
    assert '"type":"dump","trigger":"asked for by bus-console dump"' in (place / "d.jsonl").read_text()
    code, out, _ = console("dump")
    assert (code, out.startswith("shop-")) == (0, True)
    code, out, err = console("dump", "shop", "-o", "missing/d.jsonl")
    assert (code, out) == (2, "")
    assert "missing" in err
    with screen("open", "d.jsonl") as terminal:
        terminal.see("a dump of the last")


def test_dump_has_the_calls_that_went_well(place):
    """Also those that a program makes itself at the level `times`, which travel as timings; its window begins there."""
    (place / "busy.py").write_text(
        textwrap.dedent("""\
            import threading
            from bus import Bus, Service

            with Bus("busy", trace="times") as bus:
                bus.add(Service("shop"))
                bus.register_command("sell", str, service="shop")
                bus.serve()
                for _ in range(50):
                    bus.execute_command("sell").result()
                print("open", flush=True)
                threading.Event().wait(60)
            """)
    )
    with subprocess.Popen([sys.executable, "busy.py"], stdout=subprocess.PIPE, cwd=place) as busy:
        assert busy.stdout.readline() == b"open\n"
        said = console("dump", "busy", "-o", "d.jsonl")
        busy.terminate()
    assert said == (0, "d.jsonl: 50 calls\n", "")
    records = [record for some in SessionReader(place / "d.jsonl") for record in some]
    calls = [record for record in records if isinstance(record, Call)]
    assert {(call.name, call.service, call.outcome) for call in calls} == {("sell", "shop", "ok")}
    (header,) = (record for record in records if isinstance(record, Dump))
    assert header.begin == min(call.ended for call in calls)


def test_several_recordings_are_one_view(place):
    """By their files, or by the folder of one run; call 12 is number 1 of program 2."""
    folder = place / "run-1"
    folder.mkdir()
    two(folder)
    code, out, _ = console("repl", "--open", "run-1/s1.jsonl", "run-1/s2.jsonl", stdin="call 12\ncall 11\n")
    assert code == 0
    assert "cook.meal" in out
    assert "index.file" in out
    with screen("open", "run-1") as terminal:
        terminal.see("2 programs")
    code, _, err = console("repl", "--open", "run-1/s1.jsonl", "none.jsonl", stdin="")
    assert (code, "none.jsonl" in err) == (2, True)


def test_record_passes_on_what_the_program_prints(place):
    """A program that ends by itself ends the recording."""
    (place / "short.py").write_text(SHOP.replace("threading.Event().wait(60)", "threading.Event().wait(1)"))
    code, out, err = console("record", "short.py", "-o", "s.jsonl")
    assert (code, out) == (0, "open\n")
    assert "s.jsonl: 0 calls" in err


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        ("plain.py", 0, ["hello", "bye", "ended before the console saw a bus in it"]),
        ("shop:broken", 1, ["no shop today"]),
        ("shop:thing", 2, ["shop has no function thing"]), ("nope:make", 2, ["there is no module nope"]),
    ],
)  # fmt: skip
def test_run_of_what_has_no_bus(place, target, status, said):
    """The screens are not opened; what the program said is shown, and its exit status is ours."""
    with screen("run", target) as terminal:
        assert terminal.wait() == status
        for line in said:
            terminal.see(line)


def test_run_of_a_program_that_crashes(place):
    """The screens stay with the evidence; after them come the last words, and the program's exit status."""
    with screen("run", "shop:make") as terminal:
        terminal.see("say_hello")
        assert console("repl", stdin="die\n")[0] == 2
        terminal.see("ENDED")
        terminal.send("q")
        assert terminal.wait() == 3
        terminal.see("going down")
        terminal.see("ended with exit status 3")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_leave_nothing_behind(place, number):
    """Whatever ends the console ends the program it started, and removes its socket."""
    with screen("run", "shop.py") as terminal:
        terminal.see("say_hello")
        os.kill(terminal.pid, number)
        assert terminal.wait() == 128 + number
    assert not list(place.glob("run/**/*.sock"))


def test_a_signal_at_any_moment_ends_the_screens(place):
    """Also in the middle of a frame: what reads and writes the terminal must not be left behind, and keep it alive."""
    for moment in range(4):
        with screen("run", "shop.py") as terminal:
            terminal.see("LIVE")
            terminal.send("357"[:moment])
            os.kill(terminal.pid, signal.SIGTERM)
            assert terminal.wait() == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_repl(shop, number):
    """At the prompt as well: no traceback, nothing asked."""
    with screen("repl", "shop") as terminal:
        terminal.see("›")
        os.kill(terminal.pid, number)
        assert terminal.wait() == 128 + number
        assert "Traceback" not in terminal.text


def test_repl_in_a_terminal(shop):
    """Greeting, completion, toolbar, result, Ctrl-D; the program goes on."""
    with screen("repl", "shop", columns=100, rows=30) as terminal:
        terminal._screen.write_process_input = terminal.send  # where is the cursor? prompt_toolkit asks
        terminal.see(r"shop +pid \d+; help")
        terminal.see(r"LIVE +0 calls/s")
        terminal.send("say")
        terminal.see("Greet NAME")
        terminal.send("\t")
        terminal.see("› say_hello")
        terminal.send(" Bob\r")
        terminal.see("'Hello, Bob!'")
        terminal.send("die\r")
        terminal.see("ENDED: process")
        terminal.see("what was recorded can still be looked at")
        # Between two prompts the terminal takes Ctrl-D for itself, and nobody gets it: then a person presses it again.
        assert terminal.wait_typing("\x04") == 0


@pytest.mark.parametrize(
    ("done", "never"),
    [
        ("main._parser()", ["textual", "prompt_toolkit", "rich", "numpy", "importlib.metadata"]),
        ("main._parser('attach')", ["console.export", "console.language", "console.cli.tool_parsers"]),
        ("subcommands.ps(main._parser().parse_args(['ps']))", ["textual", "prompt_toolkit", "rich", "numpy"]),
        ("main.main(['export', 's.jsonl', '-o', 's.json'])", ["textual", "prompt_toolkit"]),
        ("main.main(['repl', '--open', 's.jsonl'])", ["textual", "prompt_toolkit"]),
        ("__import__('console.repl.prompt')", ["textual"]),
        ("__import__('console.tui.app')", ["prompt_toolkit"]),
    ],
)
def test_nobody_loads_what_they_do_not_use(place, done, never):
    """Each part imports what it needs and nothing else: start-up stays quick."""
    (place / "s.jsonl").write_text(
        '{"type":"session","session":"s","pid":1,"program":"p","python":"3","start_monotonic":1,"start_unix":1}\n'
    )
    program = f"""
        import sys
        from console.cli import main, subcommands
        from console.target import TargetError
        try:
            {done}
        except TargetError:
            pass
        print(*[name for name in {never} if name in sys.modules])
    """
    argv = [sys.executable, "-c", textwrap.dedent(program)]
    loaded = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert loaded.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize(("verb", "runs"), [("attach", False), ("ps", True), ("web", True)])
def test_the_collector_rests_only_until_the_screens_are_there(verb, runs, monkeypatch):
    """They end its rest; a command that may go on for hours must not be without it."""
    seen = []
    monkeypatch.setattr(subcommands, verb, lambda _: seen.append(gc.isenabled()) or 0)
    frozen, threshold = gc.get_freeze_count(), gc.get_threshold()
    try:
        collecting.hold()
        assert main.main([verb]) == 0
    finally:
        gc.enable()
        gc.set_threshold(*threshold)
        if not frozen:
            gc.unfreeze()
    assert seen == [runs]
