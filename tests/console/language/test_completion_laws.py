"""What holds of completion and of errors, whatever the line; and how long completion takes among many names."""

import time
from string import ascii_lowercase

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bus.trace.records import Definition, Entry, Parameter
from console.language.binding import bind
from console.language.completion import Catalogue, VerbInfo, complete
from console.language.grammar import Execute, format_request, parse
from console.language.past import Past
from console.language.tokens import LanguageError

KIND = "positional_or_keyword"
COLOUR = Definition(name="Colour", choices=("red", "light blue"))
PAINT = (
    Parameter(name="what", kind=KIND, annotation="str"),
    Parameter(name="colour", kind=KIND, annotation="Colour", default="'red'", definitions=(COLOUR,)),
    Parameter(name="where", kind=KIND, annotation="Path | None", default="None"),
    Parameter(name="rest", kind="var_positional", annotation="Literal['x y', 1]"),
    Parameter(name="dry", kind="keyword_only", annotation="bool", default="False"),
)
NAMES = ("paint", "ls", "fire", "a=b", "two words", "&", '"quoted', "it's", "ls.more", "naïve", "5", "x[0]")


def entry(name, parameters=PAINT):
    return Entry(entry=1, kind="command", name=name, service="s", parameters=parameters)


def remembered():
    past = Past()
    past.add(parse('paint "the wall" colour="light blue" where=a.txt'))
    return past


CATALOGUE = Catalogue(
    commands={name: entry(name) for name in NAMES},
    events={name: entry(name) for name in NAMES},
    verbs={
        "execute": VerbInfo("execute", "", "", "commands"), "fire": VerbInfo("fire", "", "", "events"),
        "ls": VerbInfo("ls", "ls [PATTERN]", "", "names"), "help": VerbInfo("help", "help [NAME]", "", "topics"),
        "tree": VerbInfo("tree", "tree ID", "", "calls|lanes"), "set": VerbInfo("set", "", "", "settings values"),
        "calls": VerbInfo("calls", "calls [FILTER]", "", filter_at=0),
        "export": VerbInfo("export", "export FILE [FILTER]", "", "files", filter_at=1),
    },
    services=("indexer", "full text"), lanes=("MainThread", "worker 1"), settings={"level": ("off", "full")},
    calls=lambda: [(17, "paint ok"), (4, "ls failed")], past=remembered(),
    files=lambda typed: [typed + "x y/", typed + "z"], their_files=lambda typed: [typed + "x y/", typed + "z"],
)  # fmt: skip
RESTS = {"calls": 0, "export": 1}
PIECES = (
    "paint ", "fire ", "execute ", "ls ", "help ", "tree ", "set ", "calls ", "export ", "level ", "colour=", "dry=",
    "what=", "where=", "red", '"light', "'", '"', "[1, ", "{", "(", "a=b ", " ", "&", "=", "\\", "took>", "service:",
    "x",
)  # fmt: skip
LINES = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=6).map("".join)


def completed(line, candidate):
    return line[: candidate.start] + candidate.text + line[candidate.end :]


def problem(line):
    """Where a line stops being understood; None if it does not."""
    try:
        parse(line, CATALOGUE.own_verbs, RESTS)
    except LanguageError as error:
        return error.span
    return None


@given(LINES)
@example("paint what=x ")
@example('"two words" colour=')
@example("ls a ")
@example("paint what=1 what=2 ")
def test_what_is_offered_parses_further(line):
    """A line with a candidate in it is a request, or wants no more than to be written on at its end."""
    for candidate in complete(line, len(line), CATALOGUE):
        whole = completed(line, candidate)
        wrong = problem(whole)
        assert wrong is None or wrong.end == len(whole)
        assert problem(whole + "x") is None or whole[-1] in "\"'])}"


@given(LINES, st.integers(-3, 30))
def test_never_raises_and_stays_left_of_the_cursor(line, cursor):
    """Whatever the line and the cursor, each candidate takes the place of characters that are there."""
    for candidate in complete(line, cursor, CATALOGUE):
        assert 0 <= candidate.start <= candidate.end <= min(len(line), max(0, cursor))


@given(st.sampled_from(NAMES))
def test_an_offered_name_means_itself(name):
    """However a command is called, what is offered for it executes it, also where the console has one of that name."""
    texts = [
        each.text for each in complete("", 0, CATALOGUE) if each.label == name and each.text not in CATALOGUE.verbs
    ]
    assert [parse(text, CATALOGUE.own_verbs, RESTS) for text in texts] == [Execute(name)]


WORDS = st.text(ascii_lowercase, min_size=1, max_size=8)
VALUES = st.one_of(st.integers(), st.text(st.characters(exclude_categories=("Cs",)), max_size=8), st.booleans())


@given(st.lists(VALUES, min_size=2, max_size=4), st.data())
def test_the_value_that_does_not_fit_is_marked(given_values, data):
    """Of many values the one that is wrong is underlined: exactly its characters, by place or by name."""
    wrong = data.draw(st.integers(0, len(given_values) - 1))
    named = data.draw(st.booleans())
    parameters = [
        Parameter(name=f"p{number}", kind=KIND, annotation="int" if number == wrong else "Any")
        for number in range(len(given_values))
    ]
    given_values[wrong] = "not a number"
    args = () if named else tuple(given_values)
    kwargs = {f"p{number}": value for number, value in enumerate(given_values)} if named else {}
    line = format_request(Execute("x", args, kwargs))
    with pytest.raises(LanguageError) as caught:
        bind(parse(line), parameters)
    assert line[slice(*caught.value.span)] == '"not a number"'
    assert line.count('"not a number"', 0, caught.value.span.start) == 0


@given(WORDS, st.lists(WORDS, max_size=3))
def test_a_parameter_that_there_is_not_is_marked(key, others):
    """The key, and only the key, is underlined."""
    parameters = [Parameter(name="rest", kind="var_positional")]
    line = format_request(Execute("x", tuple(others), {key: 1}))
    with pytest.raises(LanguageError) as caught:
        bind(parse(line), parameters)
    span = caught.value.span
    assert line[slice(*span)] == key
    assert line[span.end] == "="


def test_ten_thousand_commands(figure):
    """Of ten thousand names the right ones are found for every beginning; what a key costs is a figure of the run."""
    many = [f"ns{number % 100}.command{number}" for number in range(10_000)]
    crowded = Catalogue(commands={name: entry(name) for name in many}, verbs=CATALOGUE.verbs, past=remembered())
    worst = 0.0
    target = "ns42.command4242"
    for length in range(len(target) + 1):
        began = time.thread_time()
        found = complete(target[:length], length, crowded)
        worst = max(worst, time.thread_time() - began)
        assert found
    assert [each.label for each in found] == [target]
    assert [each.text for each in complete(f"{target} col", len(target) + 4, crowded)] == ["colour="]
    figure(f"completion among 10,000 commands: {worst * 1e3:.1f} ms of CPU for the slowest key (budget: 10)")
