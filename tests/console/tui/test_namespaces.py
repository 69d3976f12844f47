"""Many names, by their namespaces."""

from console.tui.namespaces import MANY, Namespaces, namespace


def namespaces() -> Namespaces[int]:
    return Namespaces(lambda _, rows: sum(rows))


def many(spaces: int = 6, each: int = 100) -> dict[str, int]:
    return {f"area{space}.work{number}": 1 for space in range(spaces) for number in range(each)}


def test_few_names_stand_as_they_are() -> None:
    """As many as one may look through."""
    rows = dict(list(many().items())[:MANY])
    assert namespaces().fold(rows) == (rows, {})
    assert namespaces().title("area0.work1") == "area0.work1"


def test_many_names_are_one_row_a_namespace() -> None:
    """With the total of its rows; who has no namespace, or is alone in one, stands as it is."""
    found = namespaces()
    top, inner = found.fold({**many(), "plain": 7, "alone.one": 8, ".odd": 9, "odd.": 9})
    assert top == {**{f"area{space}.*": 100 for space in range(6)}, "plain": 7, "alone.one": 8, ".odd": 9, "odd.": 9}
    assert inner == {}
    assert found.size("area3.*") == 100
    assert found.size("plain") == 0
    assert found.title("area3.*") == "▸ area3.* 100"


def test_one_namespace_of_all_is_none() -> None:
    """Closed, it would say nothing."""
    rows = many(1, 600)
    assert namespaces().fold(rows) == (rows, {})


def test_a_namespace_is_opened_and_closed() -> None:
    """Then its rows are told apart; each change of what is drawn is counted."""
    found = namespaces()
    found.fold(many())
    version = found.version
    found.toggle("area2.*")
    assert found.version > version
    _, inner = found.fold(many())
    assert list(inner) == ["area2.*"]
    assert len(inner["area2.*"]) == 100
    assert found.title("area2.*") == "▾ area2.* 100"
    assert found.title("area2.work1") == "    work1"
    assert found.title("plain") == "  plain"
    found.set("area2.*", opened=True)
    assert found.fold(many())[1]
    found.set("area2.*", opened=False)
    assert found.fold(many())[1] == {}


def test_the_home_of_a_row_is_its_namespace() -> None:
    """That of a namespace is itself, as long as there are so many names."""
    found = namespaces()
    found.fold(many())
    assert found.home("area1.work5") == "area1.*"
    assert found.home("area1.*") == "area1.*"
    assert found.home("plain") == found.home("nosuch.name") == ""
    found.fold({})
    assert found.home("area1.work5") == ""
    assert namespace("a.b.c") == "a.*"
