"""The prompt in a terminal, played with keys."""

import io
import signal
import threading

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import fragment_list_to_text
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from bus.attach.protocol import Batch, Reply
from bus.trace.records import Call, Entry, Parameter
from console.repl.current import Current
from console.repl.line import LineCompleter
from console.repl.prompt import Prompt
from console.session import Session
from tests import synthetic
from tests.support import wait_for


class SlowTarget(synthetic.FakeTarget):
    """Answers an execute only when it is cancelled, or told to."""

    def execute(self, name, args, kwargs, on_reply):
        self.asked.append(("execute", name, tuple(args), dict(kwargs)))
        self.on_reply = on_reply
        return len(self.asked)

    def cancel(self, request):
        super().cancel(request)
        self.on_reply(Reply(request=request, call=5, outcome="cancelled"))


class Deaf(SlowTarget):
    """Does not even answer when it is cancelled."""

    def cancel(self, request):
        self.cancelled.append(request)


@pytest.fixture
def play(tmp_path):
    """Type keys at a prompt on a target until it ends; gives what was shown."""

    def typed(keys, target=None, during=None, look=None):
        target = target or synthetic.FakeTarget(synthetic.batches(synthetic.session(50)), state="live")
        session = Session(target)
        session.pump()
        shown = io.StringIO()
        console = Console(file=shown, width=120, highlight=False, markup=False)
        with create_pipe_input() as reads:
            reads.send_text(keys)
            prompt = Prompt(
                session,
                history=tmp_path / "h" / "history",
                reads=reads,
                writes=DummyOutput(),
                console=console,
                look=look,
            )
            thread = threading.Thread(target=during, args=(target, shown, reads)) if during else None
            if thread:
                thread.start()
            assert prompt.run() == 0
            if thread:
                thread.join()
        return shown.getvalue()

    return typed


def test_execute_and_leave(play):
    """A line is carried out and its result shown; Ctrl-D leaves."""
    shown = play("search.query x limit=3\r\x04")
    assert "sample-search" in shown
    assert "'ok'" in shown


def test_quit_leaves(play):
    """Quit leaves as Ctrl-D does."""
    assert "leave; Ctrl-D does the same" in play("help quit\rquit\r")


def test_ctrl_c_drops_the_line(play):
    """Ctrl-C at the prompt forgets what was typed."""
    assert "nope" not in play("nope\x03\x04")


def test_a_mistake_is_underlined(play):
    """The piece that is wrong is marked."""
    assert "^^^^" in play("serch.query x\r\x04")


def interrupt_when(condition):
    wait_for(condition)
    signal.raise_signal(
        signal.SIGINT
    ) if threading.current_thread() is threading.main_thread() else signal.pthread_kill(
        threading.main_thread().ident, signal.SIGINT
    )


def test_ctrl_c_cancels_the_call(play):
    """Ctrl-C while a result is awaited asks the program to cancel, and the prompt comes back."""
    target = SlowTarget(synthetic.batches(synthetic.session(50)), state="live")
    shown = play("scan.status\rls scan.*\r\x04", target, lambda *_: interrupt_when(lambda: target.asked))
    assert target.cancelled == [1]
    assert "cancelling" in shown
    assert "#5 ✗ cancelled" in shown
    assert "scan.folder" in shown


def test_a_second_ctrl_c_stops_waiting(play):
    """A call that cannot be cancelled does not hold the prompt; its result is shown when it comes."""
    target = Deaf(synthetic.batches(synthetic.session(50)), state="live")

    def during(_target, shown, reads):
        interrupt_when(lambda: target.asked)
        interrupt_when(lambda: "cancelling" in shown.getvalue())
        wait_for(lambda: "not waiting" in shown.getvalue())
        target.on_reply(Reply(request=1, call=9, result="late"))
        wait_for(lambda: "late" in shown.getvalue())
        reads.send_text("\x04")

    assert "#9 ok" in play("scan.status\r", target, during)


def test_background_results_are_shown_above_the_prompt(play):
    """What was started with & reports while a line is being written."""
    target = SlowTarget(synthetic.batches(synthetic.session(50)), state="live")

    def during(_target, shown, reads):
        wait_for(lambda: "on its way" in shown.getvalue())
        target.on_reply(Reply(request=1, call=9, result="late"))
        wait_for(lambda: "late" in shown.getvalue())
        reads.send_text("\x04")

    assert "scan.status is on its way" in play("scan.status &\r", target, during)


def test_the_programs_end_is_said(play):
    """When the program ends, that is said at once, with the reason, and looking around still works."""
    target = synthetic.FakeTarget(synthetic.batches(synthetic.session(50)), state="live")

    def during(_target, shown, reads):
        target.end("process 48213 ended \x1b[31m")
        wait_for(lambda: "ENDED" in shown.getvalue())
        reads.send_text("ls scan.*\r\x04")

    shown = play("", target, during)
    assert "ENDED: process 48213 ended \\x1b[31m" in shown
    assert shown.count("ENDED") == 1
    assert "scan.folder" in shown


def test_history_keeps_no_secrets(play, tmp_path):
    """Lines go to the history file, except those that give a secret parameter."""
    target = synthetic.FakeTarget(synthetic.batches(synthetic.session(50)), state="live")
    secret = Parameter(name="password", kind="positional_or_keyword", annotation="str", secret=True)
    entry = Entry(entry=900, kind="command", name="login", service="x", parameters=(secret,))
    target.add(Batch(at=synthetic.START + 10**12, records=(entry,)))
    play("scan.status\rlogin hunter2\r\x04", target)
    kept = (tmp_path / "h" / "history").read_text()
    assert "scan.status" in kept
    assert "hunter2" not in kept
    assert (tmp_path / "h" / "history").stat().st_mode & 0o077 == 0


def test_a_history_that_cannot_be_written(play, tmp_path):
    """A folder that cannot be made is no reason not to serve."""
    (tmp_path / "h").write_text("in the way")
    assert "'ok'" in play("scan.status\r\x04")


def test_completion_is_escaped():
    """Names of the program reach the menu escaped, and the line quoted."""
    hostile = Entry(entry=1, kind="command", name="x\x1b[2J\u202e", service="x", doc="d\x9b")
    session = Session(synthetic.FakeTarget([Batch(at=1, records=(hostile,))], state="live"))
    session.pump()
    (found,) = [
        each
        for each in LineCompleter(Current(session)).get_completions(Document("x"), CompleteEvent())
        if "2J" in each.text
    ]
    shown = fragment_list_to_text(found.display) + fragment_list_to_text(found.display_meta)
    assert (found.text + shown).isprintable()
    assert found.start_position == -1


def test_json_over_several_lines(play):
    """Enter within a bracket goes on below; the closing one makes it whole."""
    target = synthetic.FakeTarget(synthetic.batches(synthetic.session(50)), state="live")
    play("fire x [1,\r2,\r3]\r\x04", target)
    assert target.asked == [("fire", "x", ([1, 2, 3],), {})]


def test_watch_lines_beside_typing(play):
    """Calls that end while a line is being written are shown above it."""
    target = synthetic.FakeTarget(synthetic.batches(synthetic.session(50)), state="live")
    call = Call(
        id=77_001, root=77_001, kind="command", name="scan.status", queued=synthetic.START, started=synthetic.START,
        ended=synthetic.START + 5_000_000, outcome="ok",
    )  # fmt: skip

    def during(_target, shown, reads):
        wait_for(lambda: "watching" in shown.getvalue())
        target.add(Batch(at=synthetic.START + 10**12, records=(call,)))
        wait_for(lambda: "#77001" in shown.getvalue())
        reads.send_text("\x03\x04")

    assert "scan.status" in play("watch name:scan.*\rhalf a li", target, during).split("#77001")[1]


def test_who_cannot_go_on_ends_with_what_went_wrong(play):
    """A fault of ours while a line is being written is neither hidden nor shown for ever: it ends the REPL."""

    def broken():
        raise ZeroDivisionError("ours")

    def during(target, _shown, _reads):
        target.drain = broken

    with pytest.raises(ZeroDivisionError, match="ours"):
        play("half a li", during=during)


def test_the_program_is_found_again(play):
    """When it ended and runs again that is said, and lines go to the new one, with what was done before."""
    target = synthetic.FakeTarget(synthetic.batches(synthetic.session(50)), state="live")
    later = synthetic.FakeTarget(synthetic.batches(synthetic.session(50)), state="live")
    looked = []

    def look(name, pid):
        looked.append((name, pid))
        return Session(later) if len(looked) == 2 else None

    def during(_target, shown, reads):
        wait_for(lambda: target.asked)
        target.end("process 48213 ended")
        wait_for(lambda: "when the program runs again" in shown.getvalue())
        wait_for(lambda: "RECONNECTED: sample-search runs again" in shown.getvalue())
        reads.send_text("search.query _\r\x04")

    play("scan.status\r", target, during, look)
    assert looked == [("sample-search", 48213)] * 2
    assert later.asked == [("execute", "search.query", ("ok",), {})]
    assert target.closed
    assert later.closed
