"""Names and texts that a pattern is true of."""

import pytest

from console.language.patterns import contains, glob, is_glob, matcher


@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        ("", ["", "a"], []),
        ("file", ["file", "a.File.b"], ["fil"]),
        ("file.*", ["file.found", "FILE."], ["a.file.b", "file"]),
        ("a?c", ["abc", "ABC"], ["ac", "abcd"]),
        ("[ab]*", ["b", "AB"], ["c", ""]),
        ("[a", [], ["a"]),
        ("straße", ["STRASSE"], ["strase"]),
    ],
)
def test_matcher(pattern, names, others):
    """A pattern matches the whole, a word is contained; their case is not looked at."""
    assert all(map(matcher(pattern), names))
    assert not any(map(matcher(pattern), others))


def test_wildcards_are_letters_where_none_are_wanted():
    """`contains` takes them as they are, `glob` as patterns."""
    assert contains("a[0]")("x = A[0]")
    assert not glob("a[0]")("a[0]")
    assert glob("a[0]")("a0")
    assert is_glob("a[0]")
    assert not is_glob("a.b")


def test_a_pattern_of_many_stars_is_quick():
    """What a person or a program wrote cannot make the search take for ever."""
    assert not glob("*a" * 200 + "b")("a" * 2_000)
