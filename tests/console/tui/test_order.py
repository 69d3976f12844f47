"""An order that does not jump about under the cursor."""

from console.tui.order import CalmOrder, bucket


def test_a_new_order_waits_until_nobody_moves() -> None:
    """The order stays while the cursor moves and for a while after, then changes."""
    order = CalmOrder()
    assert order.arrange(["a", "b"], 0, "rate", now=100.0) == ["a", "b"]
    assert order.arrange(["b", "a"], 0, "rate", now=101.0) == ["a", "b"]
    assert order.arrange(["b", "a"], 1, "rate", now=103.0) == ["a", "b"]
    assert order.arrange(["b", "a"], 1, "rate", now=106.0) == ["a", "b"]
    assert order.arrange(["b", "a"], 1, "rate", now=107.5) == ["b", "a"]


def test_another_wish_is_followed_at_once() -> None:
    """Sorting by another column does not wait."""
    order = CalmOrder()
    order.arrange(["a", "b"], 0, "rate", now=100.0)
    assert order.arrange(["b", "a"], 5, "name", now=100.1) == ["b", "a"]


def test_what_comes_is_added_and_what_goes_is_taken_out() -> None:
    """New names appear at once at the end, removed ones go, the others stay."""
    order = CalmOrder()
    order.arrange(["a", "b", "c"], 0, "", now=100.0)
    assert order.arrange(["d", "c", "a"], 0, "", now=100.5) == ["a", "c", "d"]


def test_rates_that_waver_share_a_bucket() -> None:
    """A few percent more do not change a place; ten times as many do."""
    assert bucket(300) == bucket(320)
    assert bucket(4) < bucket(40) < bucket(400)
