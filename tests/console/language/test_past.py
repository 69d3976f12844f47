"""Values that were written before."""

from console.language.grammar import Execute, parse
from console.language.past import Past


def past(*lines):
    remembered = Past()
    for line in lines:
        remembered.add(parse(line))
    return remembered


def test_by_place_and_by_name():
    """A value counts for its parameter however it was given; the last one comes first, each once."""
    remembered = past('search.query "a b" limit=5', "search.query text=c", "search.query c 7", "other x")
    assert remembered.values("search.query", "text", 0) == ["c", '"a b"']
    assert remembered.values("search.query", "limit", 1) == ["7", "5"]
    assert remembered.values("search.query", "limit", -1) == ["5"]
    assert remembered.values("nothing", "x", 0) == []


def test_events_too():
    """What was fired is remembered like what was executed."""
    assert past("fire file.changed a.py").values("file.changed", "path", 0) == ["a.py"]


def test_bounds():
    """It keeps so many lines of a name and so many names, and no value that is too long to be read."""
    remembered = past(*(f"x {number}" for number in range(80)), "y " + "z" * 500)
    assert len(remembered.values("x", "a", 0)) == 50
    assert remembered.values("y", "a", 0) == []
    crowded = past(*(f"n{number} 1" for number in range(1_100)))
    assert crowded.values("n0", "a", 0) == []
    assert crowded.values("n1099", "a", 0) == ["1"]


def test_a_request_that_no_line_said():
    """One made by a form has no words to remember."""
    remembered = Past()
    remembered.add(Execute("x", (1,)))
    assert remembered.values("x", "a", 0) == []
