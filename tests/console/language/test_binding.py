"""Arguments against parameters."""

import inspect
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.trace.records import Parameter
from console.language.binding import bind, is_secret
from console.language.grammar import Execute, parse
from console.language.tokens import LanguageError

Kind = Literal["positional_only", "positional_or_keyword", "var_positional", "keyword_only", "var_keyword"]
KINDS = get_args(Kind)
TEXT = Parameter(name="text", kind="positional_or_keyword", annotation="str")
LIMIT = Parameter(name="limit", kind="positional_or_keyword", annotation="int", default="20")
QUERY = (TEXT, LIMIT)


@pytest.mark.parametrize("line", ["q x", "q x 5", "q text=x", "q x limit=5", "q limit=5 text=x", "q limit=5 x"])
def test_what_fits(line):
    """Values by place, by name, and both are taken."""
    request = parse(line)
    assert bind(request, QUERY) == request


@pytest.mark.parametrize(
    ("line", "span", "advice"),
    [
        ("q", (0, 1), "q also needs text: str"), ("q limit=5", (0, 1), "also needs text: str"),
        ("q x 5 6", (6, 7), "takes 2 values"), ("q x limt=5", (4, 8), "did you mean limit?"),
        ("q x foo=5", (4, 7), "(text: str, limit: int = 20)"), ("q x text=y", (4, 8), "given twice"),
    ],
)  # fmt: skip
def test_what_does_not_fit(line, span, advice):
    """The mistake is placed, and the message says what the command takes."""
    with pytest.raises(LanguageError) as caught:
        bind(parse(line), QUERY)
    assert caught.value.span == span
    assert advice in caught.value.message


def test_no_parameters():
    """A command without parameters says so."""
    with pytest.raises(LanguageError, match="it has no parameters"):
        bind(parse("stop now"), ())


def test_positional_only_by_name():
    """A parameter that is taken by its place only cannot be named."""
    only = Parameter(name="x", kind="positional_only")
    with pytest.raises(LanguageError, match="leave out x="):
        bind(parse("f x=1"), (only,))


@pytest.mark.parametrize(
    ("annotation", "line", "value"),
    [
        ("str", "f 5", "5"), ("str", "f true", "true"), ("str", "f null", "null"), ("str | None", "f None", None),
        ("Optional[str]", "f 1.50", "1.50"), ("int", "f 5", 5), ("", "f 5", 5), ("str", "f [1]", "[1]"),
        ("float", "f 5", 5.0),
        ("str", "f '5'", "5"), ("str", "f a=0x1f", "0x1f"), ("int | str", "f 5", 5),
    ],
)  # fmt: skip
def test_bare_words_for_text(annotation, line, value):
    """Where text is wanted, a bare word is the text that was written; elsewhere it is what it looks like."""
    request = bind(parse(line), (Parameter(name="a", kind="positional_or_keyword", annotation=annotation),))
    assert [*request.args, *request.kwargs.values()] == [value]


@pytest.mark.parametrize(
    ("line", "span", "advice"),
    [("q x five", (4, 8), "whole number"), ("q x limit=5.5", (10, 13), "whole"), ("q limit=[1] x", (8, 11), "whole")],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_underlined(line, span, advice):
    """By place or by name, before anything is sent."""
    with pytest.raises(LanguageError, match=advice) as caught:
        bind(parse(line), QUERY)
    assert caught.value.span == span


def test_several_values_are_fitted_one_by_one():
    """*args and **kwargs take each value by their annotation."""
    several = Parameter(name="n", kind="var_positional", annotation="float")
    named = Parameter(name="k", kind="var_keyword", annotation="str")
    request = bind(parse("f 1 2 a=3"), (several, named))
    assert (request.args, request.kwargs) == ((1.0, 2.0), {"a": "3"})
    with pytest.raises(LanguageError, match="write a number") as caught:
        bind(parse("f 1 x"), (several,))
    assert caught.value.span == (4, 5)


def test_a_request_without_a_line():
    """A form's request is checked as well, and keeps its values."""
    request = Execute("q", ("x",), {"limit": 5})
    assert bind(request, QUERY) == request
    with pytest.raises(LanguageError, match="no parameter foo"):
        bind(Execute("q", ("x",), {"foo": 5}), QUERY)


def test_secrets():
    """A value for a secret parameter is noticed, by place or by name."""
    parameters = (TEXT, Parameter(name="password", kind="positional_or_keyword", annotation="str", secret=True))
    assert is_secret(parse("login a b"), parameters)
    assert is_secret(parse("login a password=b"), parameters)
    assert not is_secret(parse("login a"), parameters)


@st.composite
def signatures(draw):
    """Parameters in an order that Python allows."""
    kinds = sorted(draw(st.lists(st.sampled_from(KINDS), max_size=5)), key=KINDS.index)
    parameters = []
    optional = False
    for number, kind in enumerate(kinds):
        if kind.startswith("var_") and kind in kinds[:number]:
            continue
        optional = draw(st.booleans()) or (optional and kind.startswith("positional"))
        default = "1" if optional and not kind.startswith("var_") else None
        parameters.append(Parameter(name=f"p{number}", kind=kind, default=default))
    return tuple(parameters)


def python_function(parameters):
    """A real function with these parameters; inspect's own `bind` is wrong about f(x=1) for def f(x=0, /, **more)."""
    signature = inspect.Signature(
        inspect.Parameter(
            each.name, getattr(inspect.Parameter, each.kind.upper()), default=each.default or inspect.Parameter.empty
        )
        for each in parameters
    )
    return eval(f"lambda {str(signature)[1:-1]}: None")


@given(signatures(), st.integers(0, 4), st.sets(st.sampled_from(["p0", "p1", "p2", "p3", "other"])))
def test_the_same_as_python(parameters, places, names):
    """What a real Python function takes is taken, and nothing else."""
    args, kwargs = (1,) * places, dict.fromkeys(names, 1)
    try:
        python_function(parameters)(*args, **kwargs)
    except TypeError:
        with pytest.raises(LanguageError):
            bind(Execute("f", args, kwargs), parameters)
    else:
        bind(Execute("f", args, kwargs), parameters)
