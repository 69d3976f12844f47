"""The commands for scripts, as processes on a program that runs."""

import json
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.cli.oneshot import as_word
from console.language.grammar import parse
from tests.console.processes import console
from tests.support import wait_for


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_call(shop):
    """The result on stdout; the shell's words are words, whatever is in them."""
    code, out, err = console("call", "shop", "say_hello", "Ann & Bob's", "times=2")
    assert (code, err) == (0, "")
    assert "Hello, Ann & Bob's! Hello, Ann & Bob's!" in out
    code, out, _ = console("call", "-", "say_hello", "name=it's me", "--json")
    assert code == 0
    (said,) = lines(out)
    assert (said["outcome"], said["result"]) == ("ok", "Hello, it's me!")
    assert said["took_ms"] > 0


@pytest.mark.parametrize("words", [["--", "--json"], ["_"], ["&"], [""], ["5"], ["a=b"], ["[1, 2"]])
def test_call_with_odd_words(shop, words):
    """A text is that text, also where it looks like something else; a name= that there is not is a mistake."""
    code, out, err = console("call", "shop", "say_hello", *words, *([] if "--" in words else ["--json"]))
    if words == ["a=b"]:
        assert (code, "no parameter a" in err) == (2, True)
    else:
        assert code == 0
        assert f"Hello, {words[-1]}!" in out


def test_a_call_that_fails(shop):
    """Exit status 1, and what went wrong."""
    code, out, _ = console("call", "shop", "fail")
    assert code == 1
    assert "ValueError: as asked" in out
    code, out, _ = console("call", "shop", "fail", "--json")
    assert code == 1
    assert lines(out)[0]["error"]["type"] == "ValueError"


@pytest.mark.parametrize(
    ("args", "advice"),
    [
        (["call", "shop", "say_helo", "x"], "did you mean say_hello?"),
        (["call", "shop", "say_hello"], "also needs name"),
        (["call", "shop", "say_hello", "x", "times=many"], "write a whole number"),
        (["call", "nobody", "x"], "no program is called nobody"), (["calls", "shop", "tok>1s"], "did you mean took?"),
        (["calls", "shop", "took>1s", "("], "("), (["calls", "shop", "--limit", "0"], "1 or more"),
        (["watch", "shop", "tok>1s"], "did you mean took?"), (["watch", "missing.jsonl"], "missing.jsonl"),
        (["problems", "shop", "--seconds", "soon"], "not a number of seconds"), (["top"], "required: TARGET"),
        (["calls", "shop.py"], "not a session file"), (["call", "shop"], "required: COMMAND"),
    ],
)  # fmt: skip
def test_mistakes(shop, args, advice):
    """Exit status 2 and a sentence on stderr, never a traceback."""
    code, out, err = console(*args)
    assert (code, out) == (2, "")
    assert advice in err
    assert "Traceback" not in err


def test_fire(shop):
    """Who receives it; nobody is no failure."""
    code, out, _ = console("fire", "shop", "greeted", "who=Ann", "--json")
    assert code == 0
    (said,) = lines(out)
    assert said["receivers"] == []
    assert said["event"] > 0
    assert "nobody listens" in console("fire", "shop", "greeted")[1]


def test_lists(shop):
    """calls, top, services and problems, for people and as JSON."""
    console("call", "shop", "say_hello", "Ann")
    console("call", "shop", "fail")
    assert [call["name"] for call in lines(console("calls", "shop", "outcome:failed", "--json")[1])] == ["fail"]
    assert "say_hello" in console("calls", "shop")[1]
    assert len(lines(console("calls", "shop", "--limit", "1", "--json")[1])) == 1
    assert {row["name"]: row["calls"] for row in lines(console("top", "shop", "--json")[1])} == {
        "say_hello": 1, "fail": 1,
    }  # fmt: skip
    assert "2 commands" in console("top", "shop", "--limit", "1")[1]
    assert [row["name"] for row in lines(console("services", "shop", "--json")[1])] == ["greeter"]
    code, out, _ = console("problems", "shop", "--seconds", "0", "--check")
    assert code == 0
    assert "nothing wrong" in out


def test_ps_as_json(shop):
    """One object a program, nothing where there is none."""
    (said,) = lines(console("ps", "--json")[1])
    assert (said["name"], said["pid"]) == ("shop", shop.pid)


def test_ps_as_json_without_programs(place):
    """A script gets nothing, and no failure."""
    assert console("ps", "--json") == (0, "", "")


def test_a_recording(shop, place):
    """What lists takes a session file too; what acts says why it cannot."""
    recording = place / "s.jsonl"
    console("call", "shop", "say_hello", "Ann")
    assert console("dump", "shop", "-o", str(recording))[0] == 0
    assert lines(console("calls", str(recording), "say_hello", "--json")[1])[0]["result"] == "'Hello, Ann!'"
    code, _, err = console("call", str(recording), "say_hello", "Ann")
    assert code == 2
    assert "recording" in err


@contextmanager
def greetings():
    """Somebody greets again and again."""
    stop = threading.Event()

    def greet():
        while not stop.is_set():
            console("call", "shop", "say_hello", "Ann")

    thread = threading.Thread(target=greet)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_watch(shop):
    """Calls as they end, those that are asked for, and as many as are wanted."""
    with greetings():
        code, out, err = console("watch", "shop", "say_hello", "--json", "--count", "2", timeout=60)
    assert (code, err) == (0, "")
    assert [call["name"] for call in lines(out)] == ["say_hello"] * 2


def test_how_a_watch_ends(shop):
    """Ctrl-C and the program's end are no failures; the latter is said."""
    command = [sys.executable, "-m", "console", "watch", "shop"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with greetings():
        watching = [subprocess.Popen(command, **pipes) for _ in range(2)]
        for each in watching:
            assert "say_hello" in each.stdout.readline()
    watching[0].send_signal(signal.SIGINT)
    assert watching[0].communicate(timeout=30)[1] == ""
    shop.terminate()
    assert "ended" in watching[1].communicate(timeout=30)[1]
    assert [each.returncode for each in watching] == [0, 0]


def test_ctrl_c_cancels_the_call(shop):
    """The program is asked to stop it, and the status is that of an interrupt."""
    calling = subprocess.Popen([sys.executable, "-m", "console", "call", "shop", "linger"], stdout=subprocess.PIPE)
    wait_for(lambda: lines(console("calls", "shop", "linger outcome:running", "--json")[1]))
    calling.send_signal(signal.SIGINT)
    calling.communicate(timeout=30)
    assert calling.returncode == 130
    (said,) = lines(console("calls", "shop", "linger", "--json")[1])
    assert said["outcome"] == "ok"  # it ends when it is asked to, and never by itself


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_reader_that_goes_away(shop, more):
    """`| head` is no mistake of anybody: nothing is said."""
    for _ in range(3):
        console("call", "shop", "say_hello", "Ann")
    command = [sys.executable, "-m", "console", "calls", "shop", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as listing:
        listing.stdout.close()
        assert listing.stderr.read() == b""
        assert listing.wait(30) == 141


@pytest.mark.parametrize("name", ["call", "fire", "watch", "calls", "top", "problems", "services", "ps"])
def test_help_has_an_example_and_the_fields(place, name):
    """Whoever writes a script finds both there."""
    code, out, _ = console(name, "--help")
    assert code == 0
    assert f"bus-console {name} " in out.partition("example")[2]
    assert "fields of --json" in out


ODD = st.sampled_from(["&", "_", "k=_", "", "a=b c", "k=", "=", '"', "[1", "a[0]"])


@given(ODD | st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
@example("x='")
def test_a_word_of_the_shell_is_one_word(text):
    """Whatever it is, the line has one argument more, and it is no sign of the language."""
    word = as_word(text)
    request = parse(f"x {word}")
    assert word.rpartition("=")[2] != "_"  # the last result, of which there is none
    assert len(request.args) + len(request.kwargs) == 1
    assert request.wait
