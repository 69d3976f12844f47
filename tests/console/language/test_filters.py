"""Filters: text to a tree and back, and what is said of mistakes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.language import durations
from console.language.filter_fields import CALLS, COMMANDS, EVENTS, OUTPUT
from console.language.filter_parser import parse, parse_typed
from console.language.filter_tokens import finished, is_value, is_word, tokens
from console.language.filters import ALL, And, Between, Compare, Is, Match, Not, Or, Phrase, Word, format_filter
from console.language.patterns import is_glob
from console.language.tokens import LanguageError

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
TRICKY = st.sampled_from(
    ["and", "or", "not", "a b", "a(b)", '"', "'x", "*", "a:b", "=x", ">", "", "#5", "r'", "\\", "..", "!"]
)
TEXTS = TEXT | TRICKY
WORDS = (TEXTS | st.from_regex(r"[\w.*?!#-]+", fullmatch=True)).filter(is_word)
VALUES = (WORDS | st.from_regex(r"[\w:=<>*?!'#.-]+", fullmatch=True)).filter(is_value)
NS = st.integers(0, 1 << 62)
COUNTS = st.integers(0, 10**18 - 1) | st.integers(0, 10**15).map(lambda millionths: millionths / 10**6)


def terms(fields):
    """Every filter of one term on FIELDS."""
    one = [st.builds(Word, WORDS), st.builds(Phrase, TEXTS)]
    for field in fields:
        name = st.just(field.name)
        if field.kind == "text":
            one.append(st.builds(Match, name, TEXTS, st.sampled_from(["contains", "is"])))
            one.append(st.builds(Match, name, VALUES.filter(is_glob), st.just("pattern")))
        elif field.kind == "choice":
            one.append(st.builds(Is, name, st.sampled_from(field.choices)))
        else:
            amounts = NS if field.kind == "time" else COUNTS
            one.append(st.builds(Compare, name, st.sampled_from(["=", ">", ">=", "<", "<="]), amounts))
            one.append(st.tuples(amounts, amounts).map(lambda two, name=field.name: Between(name, *sorted(two))))
    return st.one_of(one)


def filters(fields):
    """Every filter on FIELDS."""
    return st.just(ALL) | st.recursive(
        terms(fields),
        lambda inner: (
            st.builds(Not, inner)
            | st.lists(inner, min_size=2, max_size=4).map(lambda some: And(tuple(some)))
            | st.lists(inner, min_size=2, max_size=4).map(lambda some: Or(tuple(some)))
        ),
        max_leaves=8,
    )


@pytest.mark.parametrize("fields", [CALLS, COMMANDS, EVENTS, OUTPUT])
def test_parse_is_the_inverse_of_format(fields):
    """Every filter survives being written and read again, whatever it is about."""

    @given(filters(fields))
    def law(what):
        assert parse(format_filter(what, fields), fields) == what

    law()


PIECES = st.sampled_from(
    ["and ", "or ", "not ", "(", ")", "name:", "took>", "took:1ms..", "5ms", "outcome:", "ok", "id=", "#5", '"', "'",
     "\\", "\ud800", " ", "=", "!=", "..", "*", "x", "[", "r'"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=3), max_size=15).map("".join))
def test_any_line_is_a_filter_or_a_language_error(line):
    """Nothing else comes out of a bad line; the error's span lies in the line, and its message is a sentence."""
    problem = None
    try:
        found = parse(line)
    except LanguageError as error:
        problem = error
    if problem:
        assert 0 <= problem.span.start <= problem.span.end <= len(line)
        assert problem.message
    else:
        assert parse(format_filter(found)) == found


@given(st.lists(PIECES | st.text(max_size=3), max_size=15).map("".join))
def test_tokens_cover_the_line(line):
    """Tokens follow each other; what is between them is white space."""
    at = 0
    for token in tokens(line):
        assert token.span.start >= at
        assert not line[at : token.span.start].strip()
        assert token.span.start <= token.place.start <= token.place.end == token.span.end > token.span.start
        assert line[slice(*token.place)] == token.value
        at = token.span.end
    assert not line[at:].strip()


def test_the_example_of_the_design():
    """All kinds of terms in one line."""
    assert parse(
        'service:indexer name:index.* outcome:error took>10ms queued>1s lane:indexer-0 arg:foo "text"'
    ) == And(
        (
            Match("service", "indexer"), Match("name", "index.*", "pattern"), Is("outcome", "error"),
            Compare("took", ">", 10_000_000), Compare("queued", ">", 1_000_000_000), Match("lane", "indexer-0"),
            Match("arg", "foo"), Phrase("text"),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("", ALL),
        ("  ", ALL),
        ("index", Word("index")),
        ("file.*", Word("file.*")),
        ("don't", Word("don't")),
        ("'thread pool'", Phrase("thread pool")),
        (r'"say \"x\""', Phrase('say "x"')),
        ("service=a", Match("service", "a", "is")),
        ("service!=a", Not(Match("service", "a", "is"))),
        ('name:"a*b"', Match("name", "a*b")),
        ('arg=""', Match("arg", "", "is")),
        ("name:ns:*", Match("name", "ns:*", "pattern")),
        ("NAME:x", Match("name", "x")),
        ("args:x", Match("arg", "x")),
        ("wait>1s", Compare("queued", ">", 10**9)),
        ("took > 10ms", Compare("took", ">", 10**7)),
        ("took>=1.5us", Compare("took", ">=", 1500)),
        ("run<2min", Compare("run", "<", 120 * 10**9)),
        ("run<=3", Compare("run", "<=", 3 * 10**9)),
        ("took:1ms..5ms", Between("took", 10**6, 5 * 10**6)),
        ("id:7", Compare("id", "=", 7)),
        ("id=#7", Compare("id", "=", 7)),
        ("id:7..9", Between("id", 7, 9)),
        ("outcome:FAILED", Is("outcome", "failed")),
        ("outcome!=ok", Not(Is("outcome", "ok"))),
        ("a b or c", Or((And((Word("a"), Word("b"))), Word("c")))),
        ("a and (b or c)", And((Word("a"), Or((Word("b"), Word("c")))))),
        ("not a b", And((Not(Word("a")), Word("b")))),
        ("not(a or b)", Not(Or((Word("a"), Word("b"))))),
        ("NOT a OR b", Or((Not(Word("a")), Word("b")))),
        ("(a)(b)", And((Word("a"), Word("b")))),
        ('"and"', Phrase("and")),
    ],
)
def test_what_lines_mean(line, what):
    """`and` binds closer than `or`, `not` closest; wildcards work outside of quotes only; = is exact."""
    assert parse(line) == what


@pytest.mark.parametrize(
    ("line", "piece", "said"),
    [
        ("servce:x", "servce", "did you mean service?"),
        ("a:b", "a", 'as in "a:b"'),
        ("zzz>3", "zzz", "there is no field zzz: write name, service"),
        ("index outcome:eror", "eror", "did you mean error?"),
        ("outcome:", "outcome:", "outcome is one of ok, error"),
        ("took:", "took:", "write took>10ms, took<1s or took:10ms..1s"),
        ("id>", "id>", "id is a number: write id>5"),
        ("servce:", "servce", "did you mean service?"),
        ('servce:"a', "servce", "did you mean service?"),
        ('service:"a', '"a', "close it with"),
        ("=x", "=", "write a field before ="),
        ("name: x", "name:", "right after name:"),
        ("took>", "took>", "write took>10ms"),
        ("took>soon", "soon", "write 250ms, 1.5s or 2min"),
        ("took>-1s", "-1s", "write 250ms"),
        ("took:5ms", "took:5ms", "took:10ms..1s"),
        ("took:>5ms", "took:>5ms", "write took>10ms"),
        ("took:5ms..1ms", "5ms..1ms", "write took:1ms..5ms"),
        ("took:5ms..x", "x", "length of time"),
        ("took>999999999999min", "999999999999min", "hundred years"),
        ("id>x", "x", "id is a number"),
        ("service>5", "service", "service is no number: write service:"),
        (">5", ">", "write a field before >, as in took>10ms"),
        (":x", ":", "as in name:index.*"),
        ("(a or b", "(", "add )"),
        ("a)", ")", "closes nothing"),
        ("()", ")", "before this )"),
        ("a or", "or", "after this or"),
        ("a or or b", "or", "before this or"),
        ("and a", "and", "before this and"),
        ("not", "not", "after this not"),
        ('a "b', '"b', 'close it with "'),
        ('"a"b', '"', "a space behind the closing quote"),
        ("f(x)", "(", "between quotes"),
        ('b"x"', 'b"x"', "bytes cannot be sent"),
        ("name:a\udc80b", "\udc80", "not text"),
        ("(" * 33 + "a" + ")" * 33, "(", "more than 32"),
        ("not " * 33 + "a", "not", "more than 32"),
    ],
)  # fmt: skip
def test_mistakes(line, piece, said):
    """The sentence says what to do, and the span is that of the piece that is wrong."""
    with pytest.raises(LanguageError) as caught:
        parse(line)
    assert line[slice(*caught.value.span)] == piece
    assert said in caught.value.message


def test_fields_of_other_things():
    """Rows have fields of their own, and a mistake is told with these."""
    assert parse("rate>0.5 failed>0", COMMANDS) == And((Compare("rate", ">", 0.5), Compare("failed", ">", 0)))
    with pytest.raises(LanguageError, match="there is no field outcome: write name, service, calls"):
        parse("outcome:ok", COMMANDS)


@pytest.mark.parametrize("text", ["", "a b", "and", "OR", "a:b", '"a"', "(a"])
def test_no_bare_word(text):
    """What would be read as something else cannot be made a word."""
    with pytest.raises(ValueError, match="not one bare word"):
        Word(text)


@pytest.mark.parametrize("text", ["", "a", "a *", '"*"', "(*", "*)"])
def test_no_pattern(text):
    """A pattern has a wildcard, and is read as one piece behind its field."""
    with pytest.raises(ValueError, match="no pattern"):
        Match("name", text, "pattern")


@pytest.mark.parametrize(
    ("line", "closed"),
    [
        ("a", "a"), ("(a or (b", "(a or (b))"), ('"thr', '"thr"'), ("arg:'a (", "arg:'a ('"),
        ('(name:r"a', '(name:r"a")'),
        ("a)", "a)"), ("", ""), ('("a"', '("a")'),
    ],
)  # fmt: skip
def test_what_is_being_typed(line, closed):
    """Quotes and brackets that are open are closed, and nothing else is changed."""
    assert finished(line) == closed


@pytest.mark.parametrize(
    ("line", "what", "used"),
    [
        ("search", Word("search"), "search"),
        ("search servce:x", Word("search"), "search"),
        ("search outcome:eror", Word("search"), "search"),
        ("search took>", Word("search"), "search"),
        ("(a or b) or", Or((Word("a"), Word("b"))), "(a or b)"),
        ("not (a or kind:x b", Not(Word("a")), "not (a"),
        ('"thr', Phrase("thr"), '"thr'),
        ("not", ALL, ""),
        ("took>", ALL, ""),
        ("", ALL, ""),
    ],
)
def test_what_a_line_says_while_it_is_typed(line, what, used):
    """All of it up to what is wrong or not whole yet."""
    typed = parse_typed(line)
    assert (typed.what, typed.used) == (what, used)
    assert (typed.problem is None) == (used == line)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join))
def test_any_line_can_be_being_typed(line):
    """Nothing is raised; what is used is the beginning of the line, and the whole of what can be read."""
    typed = parse_typed(line)
    assert line.strip().startswith(typed.used)
    if typed.problem is None:
        assert typed.used == line.strip()


@given(st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join))
def test_what_can_be_read_is_finished(line):
    """A filter that is whole stays as it is."""
    try:
        parse(line)
    except LanguageError:
        return
    assert finished(line) == line


@given(NS | st.integers(0, 10**12))
def test_a_length_of_time_is_written_exactly(ns):
    """What is written is read as the same number of ns."""
    assert durations.read(durations.write(ns)) == ns


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0ns"),
        (7, "7ns"),
        (1_500, "1.5us"),
        (1_500_000, "1.5ms"),
        (10**9 + 1, "1.000000001s"),
        (12 * 10**10, "2min"),
    ],
)
def test_a_length_of_time_is_written_short(ns, text):
    """In the largest unit that it fills."""
    assert durations.write(ns) == text
