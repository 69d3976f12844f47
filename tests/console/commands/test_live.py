"""What the program is doing right now, asked by a line."""

import pytest
from msgspec import structs

from bus.attach.protocol import Reply
from bus.trace.records import Error, Letter, Stack, Waiting
from console import commands
from console.commands import Asked, LetterList, Mistake, ServiceList, StackList, ThreadList, WaitsShown
from console.session import Session
from tests import synthetic
from tests.synthetic import KEY, START

STORE = Stack(
    lane=KEY["store-0"], at=START + 9, name="store-0", service="store", call=7, call_name="store.put", since=START
)
SEARCH = Stack(
    lane=KEY["search-0"], at=START + 8, name="search-0", service="search", call=8, call_name="search.query",
    since=START, waiting=Waiting(call=7, name="store.put", service="store", lane=KEY["store-0"]),
)  # fmt: skip
MAIN = Stack(lane=0, at=START, name="Main", service="")


def session(state: str = "live") -> Session:
    target = synthetic.FakeTarget(synthetic.batches(synthetic.session(100)), state=state, can_act=False)  # type: ignore[arg-type]
    target.standing = [SEARCH, STORE, MAIN]
    target.letters = [Letter(at=START, kind="event", name="nobody.hears", reason="no listener")]
    made = Session(target)
    while made.pump():
        pass
    return made


def ask(made: Session, line: str) -> commands.Outcome:
    """The outcome of a question; none of them needs the right to act."""
    outcome = commands.run(made, line)
    assert isinstance(outcome, Asked)
    return commands.answered(outcome)


def test_services_are_told_without_asking() -> None:
    """What is recorded of them is enough, of a recording, too; threads outside are no service."""
    for state in ("live", "recorded"):
        outcome = commands.run(session(state), "services")
        assert isinstance(outcome, ServiceList)
        assert {row.name for row in outcome.rows} == {service for _, service, _ in synthetic.LANES if service}


def test_threads_have_their_stacks_while_the_program_lives() -> None:
    """Of a recording it is told what they ran."""
    outcome = ask(session(), "threads")
    assert isinstance(outcome, ThreadList)
    assert [stack.name for stack in outcome.stacks] == ["search-0", "store-0", "Main"]
    recorded = commands.run(session("recorded"), "threads")
    assert isinstance(recorded, ThreadList)
    assert (recorded.stacks, len(recorded.rows)) == ((), len(outcome.rows))


@pytest.mark.parametrize("line", ["stack 7", "stack #7", "stack store-0"])
def test_a_stack_is_found_by_call_and_by_thread(line: str) -> None:
    """Only that one is asked for."""
    outcome = ask(session(), line)
    assert isinstance(outcome, StackList)
    assert outcome.stacks == (STORE,)


def test_a_main_thread_without_a_lane_is_found_by_its_name() -> None:
    """No record named it, so all are asked."""
    outcome = ask(session(), "stack Main")
    assert isinstance(outcome, StackList)
    assert outcome.stacks == (MAIN,)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("stack 99", "call #99 does not run now"),
        ("stack " + "9" * 40, "does not run now"),
        ("stack watcher-0", "the thread watcher-0 has ended"),
        ("stack stor-0", "no thread is called stor-0: did you mean store-0"),
        ("stack zzz", "no thread is called zzz: threads lists them"),
    ],
)
def test_a_stack_that_there_is_not_is_explained(line: str, said: str) -> None:
    """In one sentence."""
    outcome = ask(session(), line)
    assert isinstance(outcome, Mistake)
    assert said in outcome.message


def test_waits_are_told_as_a_tree() -> None:
    """As of the last answer."""
    outcome = ask(session(), "waits")
    assert isinstance(outcome, WaitsShown)
    assert [(line.level, line.thread) for line in outcome.lines] == [(0, "search-0"), (1, "store-0")]
    assert outcome.at == START + 9


def test_dead_letters_are_told() -> None:
    """As the program has them."""
    outcome = ask(session(), "dead")
    assert isinstance(outcome, LetterList)
    assert [letter.name for letter in outcome.letters] == ["nobody.hears"]


@pytest.mark.parametrize("line", ["stack 7", "waits", "dead"])
def test_a_recording_cannot_be_asked(line: str) -> None:
    """It says so, as of anything that only a running program can do."""
    outcome = commands.run(session("recorded"), line)
    assert isinstance(outcome, Mistake)
    assert "recording" in outcome.message


def test_an_answer_that_is_an_error_is_a_mistake() -> None:
    """The program ended meanwhile, say."""
    made = session()
    asked = commands.run(made, "waits")
    assert isinstance(asked, Asked)
    reply = Reply(request=1, error=Error("ConnectionError", "no answer came"))
    pending = type(asked.pending)()
    pending.set_result(structs.replace(reply))
    assert commands.answered(Asked(pending, asked.answer)) == Mistake("no answer came", "")


@pytest.mark.parametrize("line", ["stack", "stack a b", "waits now", "services x"])
def test_wrong_words_are_told_how_it_is_written(line: str) -> None:
    """With what it does."""
    outcome = commands.run(session(), line)
    assert isinstance(outcome, Mistake)
    assert "write " in outcome.message


def test_threads_are_completed() -> None:
    """By their names."""
    assert "store-0" in [candidate.text for candidate in commands.candidates(session(), "stack st", 8)]
