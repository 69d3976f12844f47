"""Names that fail often, and errors that nobody asked for."""

import gc
from collections.abc import Iterator

import pytest

from bus import Bus, Service
from bus.trace.records import Call, Error, Problem
from console.model.problems import Settings
from console.model.problems.failures import FailingLimits, own_frame, short
from tests.console.model.problems.watching import SECOND, START, Model, Watch, call, found

BROKEN = Error("ValueError", "no", where="app/shop.py:7 in sell")


@pytest.fixture
def bus() -> Iterator[Bus]:
    with Bus("test") as made:
        made.add(Service("s"))
        yield made


def outcomes(text: str, first: int = 1, error: Error = BROKEN) -> list[Call]:
    """Calls of one name, `x` for one that fails."""
    return [
        call(n, START + n * 1_000_000, outcome="error" if char == "x" else "ok", error=error if char == "x" else None)
        for n, char in enumerate(text, first)
    ]  # fmt: skip


def test_failures_are_grouped_by_exception_and_own_frame(bus: Bus, watch: Watch) -> None:
    """Two errors of one command are two problems, each with its place in the program, not in a library."""

    def fail(kind: str) -> None:
        if kind == "parse":
            int("x y z")
        raise KeyError(kind)

    bus.register_command("s.fail", fail, service="s")
    watched = watch(bus)
    for kind in ("parse", "key", "parse", "key", "key", "parse"):
        bus.execute_command("s.fail", kind).exception(10)
    problems = {problem.subject: problem for problem in watched.watch().problems if problem.rule == "failing"}
    assert set(problems) == {"s.fail  ValueError", "s.fail  KeyError"}
    assert [problem.count for problem in problems.values()] == [3, 3]
    value = problems["s.fail  ValueError"]
    line = fail.__code__.co_firstlineno + 2
    assert value.proof.lines == (f"{__file__}:{line} in {fail.__qualname__}",)
    assert f"problems/test_failures.py:{line}" in value.text
    assert value.severity == "error"
    assert len(value.proof.calls) == 3
    assert "Traceback" not in value.text


def test_an_error_that_callers_pass_on_is_one_problem(bus: Bus, watch: Watch) -> None:
    """It is found where it was raised, and says who passed it on; what a caller makes of it is a problem of its own."""

    def fail() -> None:
        raise KeyError("no such thing")

    def ask(name: str) -> object:
        return bus.execute_command(name).result(10)

    def translate() -> None:
        try:
            ask("s.fail")
        except KeyError as error:
            raise OSError("cannot sell") from error

    bus.add(Service("t"))
    bus.add(Service("u"))
    bus.register_command("s.fail", fail, service="s")
    bus.register_command("t.ask", lambda: ask("s.fail"), service="t")
    bus.register_command("u.ask", lambda: ask("t.ask"), service="u")
    bus.register_command("u.translate", translate, service="u")
    watched = watch(bus)
    for _ in range(6):
        bus.execute_command("u.ask").exception(10)
    problems = [problem for problem in watched.watch().problems if problem.rule == "failing"]
    assert [(problem.subject, problem.count) for problem in problems] == [("s.fail  KeyError", 6)]
    assert problems[0].proof.lines[1:] == ("passed on by t.ask, u.ask",)
    for _ in range(6):
        bus.execute_command("u.translate").exception(10)
    subjects = {problem.subject for problem in watched.watch().problems if problem.rule == "failing"}
    assert subjects == {"s.fail  KeyError", "u.translate  OSError"}


def test_an_error_that_is_rare_where_it_is_raised_is_told_where_it_is_not() -> None:
    """Nobody but one caller fails by it, and that one each time."""
    inner = outcomes("." * 195 + "xxxxx")
    outer = [
        call(
            call_.id + 1_000, call_.queued, run=9, name="outer", outcome="error", error=BROKEN
        ) for call_ in inner[-5:]
    ]  # fmt: skip
    inner[-5:] = [
        call(each.id, each.queued, parent=each.id + 1_000, outcome="error", error=BROKEN) for each in inner[-5:]
    ]
    problems = [problem for problem in Model().look(*inner, *outer).problems if problem.rule == "failing"]
    assert [problem.name for problem in problems] == ["outer"]


def test_a_refused_deadlock_is_no_failure(bus: Bus, watch: Watch) -> None:
    """It is a problem already; each call that the error went through would be another."""
    bus.register_command("s.ask", lambda: bus.execute_command("s.ask").result(), service="s")
    watched = watch(bus)
    for _ in range(8):
        bus.execute_command("s.ask").exception(10)
    assert {problem.rule for problem in watched.watch().problems} == {"deadlock"}


def test_one_in_ten_of_the_last_hundred_is_too_often() -> None:
    """Five failures among fifty calls; each later one is counted, until they are rare again."""
    model = Model()
    assert found(model.look(*outcomes("." * 45 + "xxxx")), "failing") is None
    problem = found(model.look(*outcomes("x", 50)), "failing")
    assert problem is not None
    assert (problem.count, problem.over) == (5, False)
    problem = found(model.look(*outcomes("..x", 51)), "failing")
    assert problem is not None
    assert problem.count == 6
    problem = found(model.look(*outcomes("." * 100, 100), at=START + SECOND), "failing")
    assert problem is not None
    assert (problem.count, problem.over) == (6, True)


@pytest.mark.parametrize("text", ["xxxx", "xxxxx" + "." * 200, "." * 100 + ("." * 11 + "x") * 20])
def test_a_few_failures_are_no_problem(text: str) -> None:
    """Four in all; five that were in time among a hundred others are, in the moment in which they were half of all."""
    late = text.startswith("xxxxx")
    assert (found(Model().look(*outcomes(text)), "failing") is not None) is late


def test_failures_in_the_middle_of_a_recording_are_found() -> None:
    """They were too many then, whatever came later."""
    text = "." * 500 + "x" * 30 + "." * 500
    problem = found(Model().look(*outcomes(text)), "failing")
    assert problem is not None
    assert (problem.count, problem.over) == (30, True)


def test_what_a_full_mailbox_drops_is_no_failure() -> None:
    """It is told as a loss."""
    dropped = [call(n, START + n, kind="delivery", outcome="rejected") for n in range(1, 50)]
    assert Model().look(*dropped).problems == ()


def test_an_error_that_nobody_retrieved(bus: Bus, watch: Watch) -> None:
    """Name, exception and place of the call, once for each."""

    def fail() -> None:
        raise OSError("gone")

    bus.register_command("s.fail", fail, service="s")
    watched = watch(bus)
    for _ in range(2):
        promise = bus.execute_command("s.fail")
        bus.register_command("s.wait", lambda: None, service="s", if_exists="replace")
        bus.execute_command("s.wait").result(10)
        del promise
        gc.collect()
    problem = watched.until_found("swallowed")
    assert problem.subject == "s.fail  OSError"
    assert "was never retrieved: OSError: gone" in problem.text
    assert f"{__file__}:{fail.__code__.co_firstlineno + 1}" in problem.proof.lines[0]
    assert not found(watched.later(3_600), "swallowed").over  # type: ignore[union-attr]


def test_an_error_that_was_asked_for_is_not_swallowed(bus: Bus, watch: Watch) -> None:
    """By exception(), and its promise is gone since."""
    bus.register_command("s.fail", lambda: 1 / 0, service="s")
    watched = watch(bus)
    assert isinstance(bus.execute_command("s.fail").exception(10), ZeroDivisionError)
    gc.collect()
    assert found(watched.watch(), "swallowed") is None


def test_a_swallowed_error_whose_call_is_not_kept() -> None:
    """The bus's own sentence has to do."""
    (problem,) = Model().look(Problem(rule="swallowed", at=START, text="the error of n #3 …", calls=(3,))).problems
    assert problem.subject == problem.text == "the error of n #3 …"


def test_the_own_frame_of_an_error_without_one_is_the_last() -> None:
    """Recordings of other recorders have tracebacks only."""
    text = '  File "/a/b.py", line 3, in f\n    g()\n  File "/a/c.py", line 4, in g\nValueError'
    assert own_frame(Error("ValueError", "", text)) == "/a/c.py:4 in g"
    assert own_frame(Error("ValueError")) == own_frame(None) == ""
    assert short("/very/long/shop/orders.py:4 in sell") == "shop/orders.py:4 in sell"


def test_the_limits_can_be_set() -> None:
    """The first failure of ten calls."""
    settings = Settings({"failing": FailingLimits(calls=10, failures=1)})
    assert found(Model(settings).look(*outcomes(".........x")), "failing") is not None
